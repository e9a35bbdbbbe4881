-- Lists: the sieve of Eratosthenes, slices and nested lists.
local function sieve(n)
    local is_prime = {}
    for i = 0, n do
        is_prime[i] = true
    end
    is_prime[0] = false
    is_prime[1] = false
    local i = 2
    while i * i <= n do
        if is_prime[i] then
            for j = i * i, n, i do
                is_prime[j] = false
            end
        end
        i = i + 1
    end
    local primes = {}
    for i = 0, n do
        if is_prime[i] then
            primes[#primes + 1] = i
        end
    end
    return primes
end

local primes = sieve(5000000)
local largest = 0
local gaps = {}
for i = 1, #primes - 1 do
    gaps[i] = primes[i + 1] - primes[i]
end
for i = 1, #gaps do
    largest = math.max(largest, gaps[i])
end
local sampled = 0
for i = 1, #primes, 1000 do
    sampled = sampled + primes[i]
end
local grid = {}
for r = 0, 299 do
    local row = {}
    for c = 0, 299 do
        row[c + 1] = (r * c) % 7
    end
    grid[r + 1] = row
end
local flat = {}
local sum = 0
for _, row in ipairs(grid) do
    for _, x in ipairs(row) do
        if x ~= 0 then
            flat[#flat + 1] = x
            sum = sum + x
        end
    end
end
print(#primes .. " " .. primes[#primes] .. " " .. largest .. " " .. sampled .. " " .. sum .. " " .. #flat)
