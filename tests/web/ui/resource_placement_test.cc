#include <squall/web/ui/resource_placement.h>

#include <stdexcept>
#include <string>

#include "support/catch.h"

namespace squall::web::resource_placement_test {
namespace {

using detail::PageAdditions;

std::string placed(std::string page, const PageAdditions& additions, std::size_t start = 0) {
  detail::place_resources(page, start, additions);
  return page;
}

const PageAdditions kAll = {.head = "H\n", .body = "B\n", .scripts = "S\n"};

TEST_CASE(
    "scripts are placed before the last </body>, other HTML before the first </head> and </body> (WEB-233)",
    "[resource_placement]") {
  CHECK(placed("<head>1</head><body>2</body>3", kAll) == "<head>1H\n</head><body>2S\nB\n</body>3");
  CHECK(placed("1</head>2</head>3</body>4</body>5</body>", kAll) ==
        "1H\n</head>2</head>3B\n</body>4</body>5S\n</body>");
  // A page whose tags are in the other order.
  CHECK(placed("1</body>2</head>3</body>", kAll) == "1B\n</body>2H\n</head>3S\n</body>");
  CHECK(placed("1</body>2</head>", kAll) == "1S\nB\n</body>2H\n</head>");
}

TEST_CASE("the text in front of the page is not searched", "[resource_placement]") {
  CHECK(placed("</head></body>1</head>2</body>", kAll, 14) == "</head></body>1H\n</head>2S\nB\n</body>");
}

TEST_CASE("a tag that the page does not have is an error only if a text needs it (WEB-233)",
          "[resource_placement]") {
  CHECK(placed("no tags", {}) == "no tags");
  CHECK(placed("1</body>", {.body = "B\n", .scripts = "S\n"}) == "1S\nB\n</body>");
  CHECK(placed("1</head>", {.head = "H\n"}) == "1H\n</head>");
  std::string page = "1</body>";
  CHECK_THROWS_AS(detail::place_resources(page, 0, kAll), std::logic_error);
  CHECK(page == "1</body>");
  CHECK_THROWS_AS(placed("1</head>", {.body = "B\n"}), std::logic_error);
  CHECK_THROWS_AS(placed("1</head>", {.scripts = "S\n"}), std::logic_error);
}

}  // namespace
}  // namespace squall::web::resource_placement_test
