// tools/squall_fetch.cc -- fetches URLs and prints the responses.
#include <squall/http.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/options/option_parser.h>
#include <squall/version.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace squall;

namespace {

// Exit statuses.
enum { kOk = 0, kFailed = 1, kWrongUse = 2 };

struct Settings {
  std::vector<std::string> urls;
  std::string output;
  std::string proxy_host;
  std::uint16_t proxy_port = 0;
  double timeout = 0;
  bool print_headers = false;
  bool print_body = true;
  bool follow_redirects = true;
  bool validate_cert = true;
};

// Shows the progress of a download in one line of the terminal, which is overwritten. Shows nothing in the
// first second.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Progress(bool shows) : shows_(shows) {}
  ~Progress() { wipe(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void expect(std::optional<std::uint64_t> total) { total_ = total; }
  void add(std::size_t size) {
    received_ += size;
    if (!shows_) return;
    const Clock::time_point now = Clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::milliseconds(200);
    const double mib = static_cast<double>(received_) / (1024 * 1024);
    const double rate = mib / std::chrono::duration<double>(now - begun_).count();
    if (total_ && *total_ > 0) {
      const double percent = 100 * static_cast<double>(received_) / static_cast<double>(*total_);
      fmt::print(stderr, "\r{:.1f} MiB of {:.1f}, {:.0f} %, {:.1f} MiB/s\x1b[K", mib,
                 static_cast<double>(*total_) / (1024 * 1024), std::min(percent, 100.0), rate);
    } else {
      fmt::print(stderr, "\r{:.1f} MiB, {:.1f} MiB/s\x1b[K", mib, rate);
    }
    shown_ = true;
  }
  void wipe() {
    if (std::exchange(shown_, false)) fmt::print(stderr, "\r\x1b[K");
  }

 private:
  bool shows_;
  bool shown_ = false;
  std::uint64_t received_ = 0;
  std::optional<std::uint64_t> total_;
  Clock::time_point begun_ = Clock::now();
  Clock::time_point next_ = begun_ + std::chrono::seconds(1);
};

void write_all(std::FILE* file, std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size())
    throw std::runtime_error(fmt::format("cannot write: {}", std::strerror(errno)));
}

http::HTTPRequest request_for(const Settings& settings, const std::string& url) {
  http::HTTPRequest request(url);
  request.user_agent = fmt::format("squall-fetch/{}", kVersion);
  request.follow_redirects = settings.follow_redirects;
  request.validate_cert = settings.validate_cert;
  // A download has no timeout unless the caller sets one.
  request.request_timeout = std::nullopt;
  if (settings.timeout > 0) request.request_timeout = std::chrono::duration<double>(settings.timeout);
  request.max_body_size = SIZE_MAX;
  request.proxy_from_environment = true;
  if (!settings.proxy_host.empty()) {
    http::ProxyOptions proxy;
    proxy.host = settings.proxy_host;
    proxy.port = settings.proxy_port;
    request.proxy = proxy;
  }
  return request;
}

// Prints headers and body as they arrive. A response with an error status is printed like any other.
void fetch(http::HTTPClient& client, const Settings& settings, const std::string& url, std::FILE* out) {
  http::HTTPRequest request = request_for(settings, url);
  Progress progress(::isatty(STDERR_FILENO) == 1 && (out != stdout || ::isatty(STDOUT_FILENO) == 0));
  request.header_callback = [&](std::string_view line) {
    constexpr std::string_view kLength = "content-length: ";
    if (line.size() > kLength.size() && equals_ignoring_case(line.substr(0, kLength.size()), kLength))
      progress.expect(std::strtoull(std::string(line.substr(kLength.size())).c_str(), nullptr, 10));
    if (settings.print_headers) write_all(stdout, line);
  };
  request.streaming_callback = [&](std::string_view piece) {
    progress.add(piece.size());
    if (settings.print_body) write_all(out, piece);
  };
  client.fetch(std::move(request), http::RaiseError::no);
  progress.wipe();
}

int run(const Settings& settings) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(nullptr, &std::fclose);
  if (!settings.output.empty()) {
    file.reset(std::fopen(settings.output.c_str(), "wb"));
    if (!file)
      throw std::runtime_error(fmt::format("cannot open {}: {}", settings.output, std::strerror(errno)));
  }
  std::FILE* const out = file ? file.get() : stdout;
  http::HTTPClient client;
  for (const std::string& url : settings.urls) fetch(client, settings, url, out);
  if (std::fflush(stdout) != 0 || std::fflush(out) != 0)
    throw std::runtime_error(fmt::format("cannot write: {}", std::strerror(errno)));
  return kOk;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  options::OptionParser line("squall-fetch", "Fetches URLs, one after the other, and prints the responses.");
  line.version(fmt::format("squall-fetch {}", kVersion));
  line.bind_argument("url", settings.urls, "URLs to fetch").required();
  line.bind("print_headers", settings.print_headers, "print the heads of the responses too");
  line.bind("print_body", settings.print_body, "print the bodies");
  line.bind("follow_redirects", settings.follow_redirects, "follow redirects to other URLs");
  line.bind("validate_cert", settings.validate_cert, "check the certificates of servers");
  const auto host =
      line.bind("proxy_host", settings.proxy_host, "proxy to use in place of the environment's");
  const auto port =
      line.bind("proxy_port", settings.proxy_port, "port of the proxy").hide_default().in_range(1, 65535);
  host.needs(port);
  port.needs(host);
  line.bind("output", settings.output, "write the bodies to this file, not to the standard output")
      .short_name('o')
      .metavar("FILE");
  line.bind("timeout", settings.timeout, "seconds that a request may take; no limit without it")
      .hide_default()
      .non_negative();
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  try {
    return run(settings);
  } catch (const std::exception& error) {
    fmt::print(stderr, "squall-fetch: {}\n", error.what());
    return kFailed;
  }
}
