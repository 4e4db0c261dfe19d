// Pages of our own: what a client is told that is not the upstream's answer.
#pragma once
#include <span>
#include <string_view>

#include "http/exchange.h"
#include "loop/task.h"

namespace lockgate::proxy {

/// The status that an error is answered with.
int status_of(const Error& error);
/// An error that is the client's and is answered with this status.
Error refusal(Errc code, int status, const char* doing);

/// Answers with a page that names the status, says `sentence`, which may be empty, and the request's
/// identity, by which the log finds it. For errors: the page must not be stored. `owed` are further fields.
loop::Task<void> answer_with_page(http::Exchange& exchange, int status, std::string_view sentence,
                                  std::string_view id, WallTime now,
                                  std::span<const wire::HeadField> owed = {});

/// The answer to an error, which must not be stored, with a page of this type; `owed` are further fields.
http::Response& begin_error(http::Exchange& exchange, int status, std::string_view type,
                            std::span<const wire::HeadField> owed);

/// What every answer of ours has in its head beside its own fields.
void finish_head(http::Exchange& exchange, http::Response& answer, WallTime now);

/// Answers with a text of the operator's, and further fields.
loop::Task<void> answer_with_text(http::Exchange& exchange, http::Response& answer, std::string_view text,
                                  WallTime now);

}  // namespace lockgate::proxy
