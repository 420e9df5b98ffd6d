#include <squall/web/routing/prefix_index.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/catch.h"

namespace squall::web::prefix_index_test {
namespace {

std::vector<std::uint32_t> found(const PrefixIndex& index, std::string_view path) {
  std::vector<std::uint32_t> all;
  index.find(path, [&](PrefixIndex::Positions positions) {
    all.insert(all.end(), positions.begin(), positions.end());
  });
  return all;
}

TEST_CASE("the index finds all texts that a path begins with, the shortest first", "[prefix_index]") {
  const std::vector<std::string> texts = {"/users/", "/user", "", "/users/", "/u", "/x", "/users/me/", "/"};
  PrefixIndex index;
  for (std::uint32_t i = 0; i < texts.size(); ++i) index.add(texts[i], i);
  using Found = std::vector<std::uint32_t>;
  CHECK(found(index, "/users/me/5") == Found{2, 7, 4, 1, 0, 3, 6});
  CHECK(found(index, "/users/") == Found{2, 7, 4, 1, 0, 3});
  CHECK(found(index, "/users") == Found{2, 7, 4, 1});
  CHECK(found(index, "/use") == Found{2, 7, 4});
  CHECK(found(index, "/y") == Found{2, 7});
  CHECK(found(index, "") == Found{2});
  CHECK(found(index, "z") == Found{2});
}

TEST_CASE("an empty index finds nothing", "[prefix_index]") { CHECK(found(PrefixIndex(), "/any").empty()); }

}  // namespace
}  // namespace squall::web::prefix_index_test
