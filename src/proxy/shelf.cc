#include "proxy/shelf.h"

#include "proxy/guard_plan.h"
#include "proxy/written_page.h"

namespace lockgate::proxy {

using config::Diagnostic;

// One configuration's way through the disk; each file is looked at once, and told of once.
class Shelf::Filling {
 public:
  void route(const config::Route& route) {
    if (route.action == config::RouteAction::files)
      take(shelf_.folders_, route.files.folder, route.place, Folder::open);
    const std::string& password = route.sign_in.basic_password_file;
    if (!password.empty()) take(shelf_.passwords_, password, route.place, read_upstream_password);
    error_pages(route.error_pages);
    const config::Maintenance& maintenance = route.maintenance;
    if (maintenance.when.empty()) return;
    if (!maintenance.page.empty()) page(maintenance.page, route.place);
    shelf_.signs_.try_emplace(maintenance.when, std::make_shared<const Sign>(maintenance.when));
  }
  void error_pages(const std::vector<config::ErrorPage>& pages) {
    for (const config::ErrorPage& one : pages) page(one.path, one.place);
  }
  std::expected<Shelf, std::vector<Diagnostic>> result() && {
    if (!mistakes_.empty()) return std::unexpected(std::move(mistakes_));
    return std::move(shelf_);
  }

 private:
  void page(const std::string& path, const config::Place& place) {
    take(shelf_.pages_, path, place, WrittenPage::read);
  }
  template <class Thing, class Open>
  void take(Things<Thing>& things, const std::string& path, const config::Place& place, Open open) {
    auto [entry, is_new] = things.try_emplace(path);
    if (!is_new) return;
    auto opened = open(path);
    if (opened)
      entry->second = std::move(*opened);
    else
      mistakes_.push_back({.place = place, .message = std::move(opened.error()), .hint = ""});
  }

  Shelf shelf_;
  std::vector<Diagnostic> mistakes_;
};

std::expected<Shelf, std::vector<Diagnostic>> Shelf::filled_for(const config::Config& config) {
  Filling filling;
  for (const config::Listener& listener : config.listeners) {
    filling.error_pages(listener.error_pages);
    for (const config::Site& site : listener.sites) {
      filling.error_pages(site.error_pages);
      for (const config::Route& route : site.routes) filling.route(route);
    }
  }
  return std::move(filling).result();
}

}  // namespace lockgate::proxy
