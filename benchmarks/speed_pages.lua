-- Asks for the pages of a list in turn: page 1 to the number after `--`, and page 1 again.
local pages, page = 1, 0

function init(arguments)
  pages = tonumber(arguments[1])
end

function request()
  page = page % pages + 1
  return wrk.format(nil, wrk.path .. "&page=" .. page)
end
