#pragma once

#include <squall/web/handler/settings.h>
#include <squall/web/routing/rule.h>

#include <vector>

namespace squall::web {

// The routes of Settings::static_path, in the order `/robots.txt`, `/favicon.ico` and static_url_prefix, and
// behind them the rules (WEB-195).
std::vector<Rule> behind_static_files(const Settings& settings, std::vector<Rule> rules);

}  // namespace squall::web
