#pragma once

#include <string>
#include <vector>

// The HTML of the resources of UI modules (WEB-235), as RequestHandler::render() writes it by default.
namespace squall::web {

// `<script src="URL" type="text/javascript"></script>` for each URL, which is escaped.
std::string linked_js(const std::vector<std::string>& urls);
// One script element with all scripts. A script must not have `</script`.
std::string embedded_js(const std::vector<std::string>& scripts);
// `<link href="URL" type="text/css" rel="stylesheet"/>` for each URL, which is escaped.
std::string linked_css(const std::vector<std::string>& urls);
// One style element with all styles. A style must not have `</style`.
std::string embedded_css(const std::vector<std::string>& styles);

}  // namespace squall::web
