// bench/client/main.cc -- fetches http://127.0.0.1:PORT/ over and over, and prints the requests a
// second.
#ifdef SQUALL_HAS_CURL
#include <squall/http.h>
#include <squall/http/client/curl_http_client.h>
#include <squall/options/option_parser.h>
#endif

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>

using namespace squall;

namespace {

struct Count {
  std::uint64_t requests = 0;
  bool stop = false;
};

Task<> fetch_on(http::AsyncHTTPClient& client, const std::string& url, Count& count) {
  while (!count.stop) {
    const http::HTTPResponse response = co_await client.fetch(url);
    ++count.requests;
  }
}

Task<double> run(http::AsyncHTTPClient& client, std::string url, double seconds, int connections) {
  IOLoop& loop = client.loop();
  Count count;
  std::vector<Task<>> tasks;
  for (int i = 0; i < connections; ++i) tasks.push_back(fetch_on(client, url, count));
  const IOLoop::TimePoint begin = loop.time();
  loop.call_later(std::chrono::duration_cast<IOLoop::Duration>(std::chrono::duration<double>(seconds)),
                  [&count] { count.stop = true; });
  co_await multi(std::move(tasks));
  co_return static_cast<double>(count.requests) / std::chrono::duration<double>(loop.time() - begin).count();
}

std::unique_ptr<http::AsyncHTTPClient> make_client(bool is_curl,
                                                   const http::AsyncHTTPClient::Options& options,
                                                   IOLoop& loop) {
  if (!is_curl) return std::make_unique<http::SimpleAsyncHTTPClient>(options, loop);
#ifdef SQUALL_HAS_CURL
  return std::make_unique<http::CurlAsyncHTTPClient>(options, loop);
#else
  throw std::runtime_error("built without libcurl");
#endif
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  double seconds = 1;
  int connections = 1;
  bool is_curl = false;
  options::OptionParser line(
      "bench_client", "Fetches http://127.0.0.1:PORT/ over and over, and prints the requests a second.");
  line.bind_argument("port", port, "port of 127.0.0.1").required().in_range(1, 65535);
  line.bind_argument("seconds", seconds, "how long").positive();
  line.bind_argument("connections", connections, "requests at a time, each on a connection of its own")
      .in_range(1, 100'000);
  line.bind("curl", is_curl, "fetch with libcurl");
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  try {
    IOLoop loop;
    http::AsyncHTTPClient::Options options;
    options.max_clients = options.max_idle_connections = static_cast<std::size_t>(connections);
    const auto client = make_client(is_curl, options, loop);
    const double rate =
        loop.run_sync(run(*client, fmt::format("http://127.0.0.1:{}/", port), seconds, connections));
    fmt::print("{:.0f}\n", rate);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_client: {}\n", error.what());
    return 1;
  }
  return 0;
}
