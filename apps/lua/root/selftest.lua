-- Touches every library of the interpreter; prints a last line that says so.
local function check(ok, what)
  if not ok then error("failed: " .. what, 2) end
end

-- string, with its pattern matching and formatting
check(("hello world"):gsub("o", "0") == "hell0 w0rld", "gsub")
check(string.format("%5.2f|%-5d|%05x|%q", 3.14159, 42, 255, "a\n") == ' 3.14|42   |000ff|"a\\\n"', "format")
check(("key = value"):match("^(%w+)%s*=%s*(%w+)$") == "key", "match")
check(string.pack("<i4d", 7, 1.5):len() == 12 and string.unpack("<i4", string.pack("<i4", -7)) == -7, "pack")
check(tostring(1e15) == "1e+15" and tostring(0.1) == "0.1" and tonumber("0x1p4") == 16.0, "numbers")

-- table and sorting
local list = {}
for i = 1, 1000 do list[i] = (i * 7919) % 1000 end
table.sort(list)
for i = 2, #list do check(list[i - 1] <= list[i], "sort") end
check(table.concat({ 1, 2, 3 }, ",") == "1,2,3" and select("#", table.unpack({ 1, nil, 3 }, 1, 3)) == 3, "table")

-- math
check(math.abs(math.sin(math.pi / 6) - 0.5) < 1e-15 and math.tointeger(3.0) == 3 and math.fmod(-7, 3) == -1, "math")
check(math.exp(1) > 2.718281828 and math.log(8, 2) == 3.0 and 7 // 2 == 3 and 2 ^ 0.5 == math.sqrt(2), "math")

-- coroutines, closures, errors, metatables, garbage
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
check(co() + co() + co() == 6, "coroutines")
local ok, message = pcall(error, { code = 7 })
check(not ok and message.code == 7, "pcall")
local meta = setmetatable({}, { __index = function(_, key) return key .. "!" end, __add = function() return "sum" end })
check(meta.x == "x!" and meta + 1 == "sum", "metatables")
local weak = setmetatable({ {} }, { __mode = "v" })
for _ = 1, 100 do local _ = ("x"):rep(10000) end
collectgarbage()
check(weak[1] == nil and collectgarbage("count") < 10000, "garbage")

-- io and os
local name = os.tmpname()
local file = assert(io.open(name, "w"))
check(file:write("one\n", 2, "\n", 3.5, "\nlast"), "write")
file:close()
local lines = {}
for line in io.lines(name) do lines[#lines + 1] = line end
check(#lines == 4 and lines[4] == "last", "lines")
file = assert(io.open(name))
check(file:read("l") == "one" and file:read("n") == 2 and file:seek("set", 0) == 0 and #file:read("a") == 14, "read")
file:close()
check(os.remove(name) and io.open(name) == nil, "remove")
check(os.time({ year = 2000, month = 1, day = 1, hour = 12 }) == 946728000 and os.date("!%Y-%m-%d", 0) == "1970-01-01", "os.time")
check(os.getenv("GREETING") == "hello" and os.clock() >= 0, "os")
check(utf8.char(228, 8364) == "ä€" and utf8.len("ä€") == 2, "utf8")
check(require("module").answer == 42, "require")
print("lua: all right")
