#include "proxy/error_answer.h"

#include "proxy/page.h"
#include "proxy/upward.h"
#include "proxy/written_page.h"

namespace lockgate::proxy {

using loop::Task;

namespace {

// The pages of whatever was found before it went wrong.
const ErrorPages& pages_of(const RequestFacts& facts) {
  if (facts.route) return facts.route->error_pages;
  return facts.site ? facts.site->error_pages : facts.listener.error_pages;
}

}  // namespace

const WrittenPage* error_page(const RequestFacts& facts) {
  return facts.page ? facts.page : pages_of(facts).find(facts.status);
}

Task<void> answer_with_error(http::Exchange& exchange, const RequestFacts& facts,
                             std::span<const Regex> regexes, WallTime now) {
  const WrittenPage* page = error_page(facts);
  if (!page) {
    auto answering = answer_with_page(exchange, facts.status, facts.sentence, facts.id, now, facts.owed);
    co_await answering;
    co_return;
  }
  http::Response& answer = begin_error(exchange, facts.status, page->content_type(), facts.owed);
  if (facts.route) {
    edit_fields(answer.fields, facts.route->route->response_fields, facts, facts.route->response_edits,
                regexes, exchange.arena());
  }
  std::string_view text = page->filled_in(facts, exchange.arena());
  auto answering = answer_with_text(exchange, answer, text, now);
  co_await answering;
}

}  // namespace lockgate::proxy
