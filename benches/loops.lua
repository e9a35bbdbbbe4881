-- Loops: counting and integer arithmetic in for and while.
local function work(n)
    local total = 0
    for i = 0, n - 1 do
        if i % 3 == 0 then
            total = total + i
        else
            total = total - 1
        end
    end
    local i = 0
    while i < n do
        total = (total + i * 7) % 1000003
        i = i + 1
    end
    return total
end

print(work(5000000))
