#pragma once

#include <squall/http.h>
#include <squall/ioloop/sync/queue.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace squall::spider {

struct SpiderOptions {
  int concurrency = 10;  // fetches at the same time
  std::chrono::duration<double> timeout = std::chrono::seconds(300);
  std::size_t max_urls = 100'000;  // links to further URLs are not followed
};

// Fetches a page and all pages below its folder that it links to, directly or through others, each once. For
// `http://h/docs/intro` these are the pages below `http://h/docs/`. A redirect is a link.
//
// Lifetime:  run() at most once; the object must outlive its task.
class Spider {
 public:
  // Throws http::URLError.
  Spider(std::string_view start, const SpiderOptions& options);

  // Ends when all pages are fetched or have failed, or after the timeout.
  Task<> run();

  // The sets of URLs do not overlap: a URL that was seen and is in none of the first two was not reached
  // before the timeout.
  const std::set<std::string>& fetched() const noexcept { return fetched_; }
  struct Failure {
    std::string reason;
    std::string linked_from;  // empty for the first page
  };
  const std::map<std::string, Failure>& failed() const noexcept { return failed_; }
  const std::set<std::string>& seen() const noexcept { return seen_; }
  // Whether there were more URLs than max_urls.
  bool has_more() const noexcept { return has_more_; }

 private:
  struct Job {
    http::URL url;
    std::string linked_from;
  };

  void add(const http::URL& url, const std::string& linked_from);
  void fail(const Job& job, std::string reason);
  Task<> work();
  Task<> visit(const Job& job);

  SpiderOptions options_;
  http::URL start_;
  std::string below_;  // the beginning of all URLs to fetch
  http::SimpleAsyncHTTPClient client_;
  Queue<Job> queue_;
  std::set<std::string> seen_;
  bool has_more_ = false;
  std::set<std::string> fetched_;
  std::map<std::string, Failure> failed_;
};

}  // namespace squall::spider
