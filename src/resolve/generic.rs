//! Type parameters: `def f[T]`, `class C[T]`, `type X[T] = ...`.
//!
//! The parameters are variables of a scope without a frame around the statement; they are made just before it.
//! Bounds and the values of aliases become functions without parameters, called when somebody asks.

use super::lower::{Lowered, Lowerer};
use super::scope::ScopeId;
use crate::builtins::core::generics;
use crate::eval::code::{self, Assign, Call, CodeKind, SpreadArg, Stmt, Target};
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind, TypeParam, TypeParamKind};
use crate::value::Value;

impl Lowerer<'_> {
    /// Makes the type parameters and enters their scope; gives the scope to return to.
    pub(super) fn enter_type_params(
        &mut self,
        params: &Vec<TypeParam>,
        out: &mut Vec<Stmt>,
    ) -> Lowered<ScopeId> {
        let outer = self.scope;
        if params.is_empty() {
            return Ok(outer);
        }
        self.scope = self.scopes.of_node(params);
        let fresh = self.fresh_cells(self.scope);
        if !fresh.is_empty() {
            out.push(Stmt::RenewCells(fresh));
        }
        for param in params {
            match self.type_param(param) {
                Ok(value) => out.push(assign(self.name_target(&param.name.name), value)),
                Err(error) => {
                    self.scope = outer;
                    return Err(error);
                }
            }
        }
        Ok(outer)
    }

    fn type_param(&mut self, param: &TypeParam) -> Lowered<code::Expr> {
        let kind = match param.kind {
            TypeParamKind::TypeVar => "TypeVar",
            TypeParamKind::Tuple => "TypeVarTuple",
            TypeParamKind::Spec => "ParamSpec",
        };
        let (field, bound) = match &param.bound {
            Some(bound) if matches!(bound.kind, ExprKind::Tuple(_)) => {
                ("__constraints__", self.lazily(bound, &param.name)?)
            }
            Some(bound) => ("__bound__", self.lazily(bound, &param.name)?),
            None => ("", code::Expr::Const(Value::NONE)),
        };
        let texts =
            [kind, &param.name.name, field].map(|text| code::Expr::Const(self.vm.intern(text).into()));
        let args = texts.into_iter().chain([bound]).collect();
        Ok(self.typing_call(generics::TYPE_PARAM, args, param.name.span))
    }

    /// A function that evaluates an expression.
    fn lazily(&mut self, expr: &ast::Expr, name: &ast::Ident) -> Lowered<code::Expr> {
        let scope = self.scopes.of_node(expr);
        let make = self.make_function(
            scope,
            &name.name,
            CodeKind::Function,
            &ast::Params::default(),
            name.span,
            |l| Ok(Box::new([Stmt::Return(l.expr(expr)?)])),
            None,
        )?;
        Ok(code::Expr::Function(Box::new(make)))
    }

    fn typing_call(&mut self, function: &str, args: Box<[code::Expr]>, span: Span) -> code::Expr {
        let name = self.vm.intern(function);
        let args = std::iter::once(code::Expr::Const(name.into())).chain(args).collect();
        let function = code::Expr::Const(self.vm.typing_function());
        code::Expr::Call(Box::new(Call { function, args, keywords: Box::default(), span }))
    }

    /// The type parameters as values, seen from the current scope.
    pub(super) fn read_type_params(&mut self, params: &[TypeParam]) -> Box<[code::Expr]> {
        params.iter().map(|param| self.read(&param.name.name, param.name.span)).collect()
    }

    /// The statement that a class body starts with to set `__type_params__`.
    pub(super) fn class_type_params(&mut self, params: &[TypeParam]) -> Option<Stmt> {
        params.first()?;
        let values = self.read_type_params(params);
        let target = Target::ClassName(self.vm.intern("__type_params__"));
        Some(assign(target, tuple(values)))
    }

    /// The arguments of a class with `Generic[T]` after its bases, if it has type parameters.
    pub(super) fn with_generic_base(
        &mut self,
        args: Box<[SpreadArg]>,
        def: &ast::ClassDef,
    ) -> Box<[SpreadArg]> {
        if def.type_params.is_empty() {
            return args;
        }
        let params = self.read_type_params(&def.type_params);
        let base = self.typing_call(generics::GENERIC_BASE, params, def.name.span);
        let mut args = args.into_vec();
        let keywords = args.iter().position(SpreadArg::is_keyword).unwrap_or(args.len());
        args.insert(keywords, SpreadArg::Positional(base));
        args.into()
    }

    pub(super) fn type_alias(
        &mut self,
        name: &ast::Ident,
        params: &Vec<TypeParam>,
        value: &ast::Expr,
        out: &mut Vec<Stmt>,
    ) -> Lowered<Stmt> {
        let target = self.name_target(&name.name);
        let outer = self.enter_type_params(params, out)?;
        let value = self.lazily(value, name);
        let params = self.read_type_params(params);
        self.scope = outer;
        let text = code::Expr::Const(self.vm.intern(&name.name).into());
        let args = Box::new([text, value?, tuple(params)]);
        Ok(assign(target, self.typing_call(generics::TYPE_ALIAS, args, name.span)))
    }
}

fn assign(target: Target, value: code::Expr) -> Stmt {
    Stmt::Assign(Box::new(Assign { targets: Box::new([target]), value }))
}

fn tuple(items: Box<[code::Expr]>) -> code::Expr {
    if items.is_empty() { code::Expr::Const(Value::tuple(Vec::new())) } else { code::Expr::Tuple(items) }
}
