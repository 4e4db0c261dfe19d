#include "wire/http_grammar.h"

namespace lockgate::wire {

Step read_line_end(Unread& unread) {
  if (unread.empty()) return Step::more;
  if (*unread.at != '\r') return Step::broken;
  if (unread.at + 1 == unread.end) return Step::more;
  if (unread.at[1] != '\n') return Step::broken;
  unread.at += 2;
  return Step::done;
}

Step read_field_line(Unread& unread, HeadField& field) {
  field.name = unread.run(kOfToken);
  if (unread.empty()) return Step::more;
  if (field.name.empty() || *unread.at != ':') return Step::broken;
  ++unread.at;
  field.id = field_name(field.name);
  unread.run(kOfSpace);
  field.value = unread.run_of_value();
  while (!field.value.empty() && is(kOfSpace, field.value.back())) field.value.remove_suffix(1);
  return read_line_end(unread);
}

}  // namespace lockgate::wire
