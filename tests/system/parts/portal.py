"""A portal on Apache httpd, as one of several application servers: its sessions are files, and known here alone.

The value of a session ends with a dot and the server's name, in a cookie and in the links it makes. An answer tells, in
JSON, what was asked, and of whose session. Paths that end with /health are answered with `state`, those that end with
/report after as many milliseconds as the query says.
"""
from .apache import Apache

_LINES = """
LuaMapHandler ^/ {folder}/portal.lua answer
AllowEncodedSlashes NoDecode
"""

_PROGRAM = r"""
local folder, name = "@folder@", "@name@"

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
end

local function session_of(r)
  local given = (r.headers_in["Cookie"] or ""):match("JSESSIONID=([%w.]+)")
                or r.unparsed_uri:match(";jsessionid=([%w.]+)")
  if given and exists(folder .. "/sessions/" .. given) then return given, true end
  local made = ("%X%s.%s"):format(r:clock(), tostring({}):match("0x(%x+)"):upper(), name)
  io.open(folder .. "/sessions/" .. made, "w"):close()
  r.headers_out["Set-Cookie"] = "JSESSIONID=" .. made .. "; Path=/; HttpOnly"
  return made, false
end

function answer(r)
  if r.uri:match("/health$") then
    r.content_type = "text/plain"
    for line in io.lines(folder .. "/state") do r:puts(line) end
    return apache2.OK
  end
  local pause = r.uri:match("/report$") and tonumber(r.args or "")
  if pause then r.usleep(pause * 1000) end
  local size = #(r:requestbody() or "")
  local session, known = session_of(r)
  local fields = {}
  for field, value in pairs(r:headers_in_table()) do
    fields[#fields + 1] = "[" .. quoted(field:lower()) .. "," .. quoted(value) .. "]"
  end
  r.content_type = "application/json"
  r:puts('{"node":', quoted(name), ',"session":', quoted(session), ',"known":', tostring(known),
         ',"link":', quoted("/irj/next;jsessionid=" .. session), ',"target":', quoted(r.unparsed_uri),
         ',"version":', quoted(r.protocol), ',"size":', tostring(size),
         ',"fields":[', table.concat(fields, ","), "]}\n")
  return apache2.OK
end
"""


class Portal(Apache):
    def __init__(self, folder, name, **more):
        (folder / "sessions").mkdir(parents=True)
        (folder / "sessions").chmod(0o777)
        program = _PROGRAM.replace("@folder@", str(folder)).replace("@name@", name)
        (folder / "portal.lua").write_text(program)
        (folder / "state").write_text("ready\n")
        super().__init__(folder, name, modules=("lua",), lines=_LINES.format(folder=folder), **more)

    def tell_state(self, state):
        (self.folder / "state").write_text(f"{state}\n")
