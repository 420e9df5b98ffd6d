#include "spider.h"

#include <squall/ioloop/base/ascii.h>

#include <cassert>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "links.h"

namespace squall::spider {
namespace {

// Bytes of a page. A larger one fails.
constexpr std::size_t kMaxPage = 10 * 1024 * 1024;

http::AsyncHTTPClient::Options client_options(const SpiderOptions& options) {
  http::AsyncHTTPClient::Options client;
  client.max_clients = static_cast<std::size_t>(options.concurrency);
  client.max_body_size = kMaxPage;
  client.defaults.follow_redirects = false;
  return client;
}

bool is_html(const http::HTTPResponse& response) {
  const std::string_view type = response.headers().find("Content-Type").value_or("");
  return starts_with_ignoring_case(type, "text/html") ||
         starts_with_ignoring_case(type, "application/xhtml+xml");
}

// The links of a page, or the target of a redirect.
std::vector<http::URL> links_of(const http::URL& url, const http::HTTPResponse& response) {
  std::vector<http::URL> links;
  if (response.ok()) {
    if (is_html(response)) links = find_links(url, response.body());
  } else if (const auto location = response.headers().find("Location")) {
    http::URLFault fault;
    if (const auto target = url.resolve(http::percent_encode_stray(*location), fault))
      links.push_back(target->without_fragment());
  }
  return links;
}

bool is_redirect(const http::HTTPResponse& response) {
  return response.status() >= 300 && response.status() < 400 && response.headers().contains("Location");
}

}  // namespace

Spider::Spider(std::string_view start, const SpiderOptions& options)
    : options_(options),
      start_(http::URL(start).without_fragment()),
      below_(start_.resolve(".").text()),
      client_(client_options(options)) {}

Task<> Spider::run() {
  add(start_, std::string());
  TaskGroup workers;
  for (int i = 0; i < options_.concurrency; ++i) workers.add(work());
  try {
    co_await queue_.join(options_.timeout);
    assert(fetched_.size() + failed_.size() == seen_.size());
  } catch (const TimeoutError&) {
    // The workers end with their group.
  }
}

void Spider::add(const http::URL& url, const std::string& linked_from) {
  if (!url.text().starts_with(below_) || seen_.contains(url.text())) return;
  if (seen_.size() >= options_.max_urls) {
    has_more_ = true;
    return;
  }
  seen_.insert(url.text());
  queue_.put_nowait(Job{url, linked_from});
}

void Spider::fail(const Job& job, std::string reason) {
  failed_.emplace(job.url.text(), Failure{std::move(reason), job.linked_from});
}

Task<> Spider::work() {
  for (;;) {
    const Job job = co_await queue_.get();
    try {
      co_await visit(job);
    } catch (const std::exception& error) {
      fail(job, error.what());
    }
    queue_.task_done();
  }
}

Task<> Spider::visit(const Job& job) {
  log::application().info("fetching {}", job.url.text());
  const http::HTTPResponse response = co_await client_.fetch(job.url.text(), http::RaiseError::no);
  if (!response.ok() && !is_redirect(response)) {
    fail(job, fmt::format("{} {}", response.status(), response.reason()));
    co_return;
  }
  fetched_.insert(job.url.text());
  for (const http::URL& link : links_of(job.url, response)) add(link, job.url.text());
}

}  // namespace squall::spider
