//! Formatting templates: `"..." % values` and `"...".format(...)`.

use super::Vm;
use crate::value::{Res, Value};

impl Vm {
    /// `template % values`.
    pub(crate) fn percent_format(&mut self, template: &str, values: &Value) -> Res {
        let _ = (template, values);
        Err(self.error(super::Exc::NotImplementedError, "not supported yet: % formatting"))
    }

    /// `template % values` for bytes.
    pub(crate) fn percent_format_bytes(&mut self, template: &Value, values: &Value) -> Res {
        let _ = (template, values);
        Err(self.error(super::Exc::NotImplementedError, "not supported yet: % formatting of bytes"))
    }
}
