// demos/webspider/main.cc -- fetches a page and all pages below it, and reports the links that are dead.
#include <squall/ioloop/base/log.h>
#include <squall/options/option_parser.h>

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>

#include "spider.h"

using namespace squall;

namespace {

// The program's exit status: 0 if all pages were fetched.
int report(const spider::Spider& spider, std::chrono::duration<double> took) {
  const std::size_t fetched = spider.fetched().size();
  const std::size_t failed = spider.failed().size();
  const std::size_t left = spider.seen().size() - fetched - failed;
  const bool is_done = left == 0 && !spider.has_more();
  fmt::print("{} in {:.1f} seconds, fetched {} URLs.\n", is_done ? "Done" : "Stopped", took.count(), fetched);
  if (spider.has_more()) fmt::print("There are more URLs than --max_urls.\n");
  if (left > 0) fmt::print("Did not reach {} URLs.\n", left);
  if (failed > 0) fmt::print("Unable to fetch {} URLs.\n", failed);
  for (const auto& [url, failure] : spider.failed()) {
    fmt::print("  {}: {}\n", url, failure.reason);
    if (!failure.linked_from.empty()) fmt::print("    linked from {}\n", failure.linked_from);
  }
  return is_done && failed == 0 ? 0 : 1;
}

int crawl(const std::string& url, const spider::SpiderOptions& options) {
  const auto begun = std::chrono::steady_clock::now();
  spider::Spider spider(url, options);
  IOLoop::current().run_sync(spider.run());
  return report(spider, std::chrono::steady_clock::now() - begun);
}

}  // namespace

int main(int argc, char** argv) {
  std::string url;
  spider::SpiderOptions options;
  double timeout = options.timeout.count();
  options::OptionParser line("webspider",
                             "Fetches a page and all pages below it, and reports the dead links.");
  line.bind_argument("url", url, "the first page; only pages below its folder are fetched").required();
  line.bind("concurrency", options.concurrency, "fetches at the same time").in_range(1, 1000);
  line.bind("max_urls", options.max_urls, "URLs to fetch; links to more are not followed")
      .in_range(1, 10'000'000);
  line.bind("timeout", timeout, "seconds for all pages together").positive();
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  log::enable_pretty_logging();
  try {
    options.timeout = std::chrono::duration<double>(timeout);
    return crawl(url, options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "webspider: {}\n", error.what());
    return 1;
  }
}
