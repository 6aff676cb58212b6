-- Conway's game of life on a torus: a glider for as many generations as the first argument says.
local width, height = 16, 8
local cells = {}
for _, cell in ipairs({ { 1, 0 }, { 2, 1 }, { 0, 2 }, { 1, 2 }, { 2, 2 } }) do
  cells[cell[2] * width + cell[1]] = true
end

local function neighbours(x, y)
  local count = 0
  for dy = -1, 1 do
    for dx = -1, 1 do
      if (dx ~= 0 or dy ~= 0) and cells[(y + dy) % height * width + (x + dx) % width] then
        count = count + 1
      end
    end
  end
  return count
end

for _ = 1, tonumber(arg and arg[1]) or 4 do
  local next_cells = {}
  for y = 0, height - 1 do
    for x = 0, width - 1 do
      local count = neighbours(x, y)
      if count == 3 or (count == 2 and cells[y * width + x]) then
        next_cells[y * width + x] = true
      end
    end
  end
  cells = next_cells
end

for y = 0, height - 1 do
  local line = {}
  for x = 0, width - 1 do
    line[#line + 1] = cells[y * width + x] and "#" or "."
  end
  print(table.concat(line))
end
