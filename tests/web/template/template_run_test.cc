#include <squall/web/template/template_run.h>

#include <squall/web/template/template.h>

#include <string>

#include "support/catch.h"
#include "support/growth.h"

namespace squall::web::template_run_test {
namespace {

TEST_CASE("a run goes on piece by piece, and gives the same output", "[template_run]") {
  const Template page(
      "{% for i in range(50) %}{{ i }}{% try %}({{ i // (i % 5) }}){% except %}-{% end %}"
      "{% apply upper %}x{{ i }}{% end %}{% end %}end");
  const std::string whole = page.generate();
  for (const std::size_t size : {1u, 7u, 100u, 100'000u}) {
    const TemplateArguments arguments;
    TemplateRun run(page, arguments);
    std::string all;
    std::string chunk;
    std::size_t pieces = 1;
    while (run.resume(chunk, size)) {
      CHECK(chunk.size() >= size);
      all += chunk;
      chunk.clear();
      ++pieces;
    }
    all += chunk;
    CHECK(all == whole);
    CHECK((pieces == 1) == (size == 100'000u));
    CHECK_FALSE(run.resume(chunk, size));
  }
}

TEST_CASE("max_output counts the pieces together, and a failed run has ended", "[template_run]") {
  const Template page("{% for i in range(100) %}ab{% end %}");
  const TemplateArguments arguments;
  TemplateRun run(page, arguments, {}, TemplateLimits{.max_output = 50});
  std::string chunk;
  const auto all = [&] {
    while (run.resume(chunk, 10)) chunk.clear();
  };
  CHECK_THROWS_AS(all(), TemplateRunError);
  CHECK_FALSE(run.resume(chunk, 10));
}

TEST_CASE("parsing and running take time in proportion to the size", "[template_run]") {
  const auto parse = [](std::size_t size) {
    std::string text;
    while (text.size() < size) text += "<a href=\"/x?a=1&b=2\">{{ x }}</a>{% if x %}{ &amp; {% end %}\n";
    Template page(text);
  };
  CHECK(testing::growth(5'000, parse) < testing::kMostLinearGrowth);
  const Template page("{% for i in range(rows) %}<td>{{ i }}</td>{% end %}");
  const auto run = [&page](std::size_t rows) { page.generate({{"rows", rows}}); };
  CHECK(testing::growth(1'000, run) < testing::kMostLinearGrowth);
}

}  // namespace
}  // namespace squall::web::template_run_test
