// Objects that end before or after their loop, for lifetime_test.py: `lifetime_program KIND ORDER`. Without
// arguments it prints all kinds and orders.
#include <squall/http/client/simple_http_client.h>
#include <squall/http/server/serve.h>
#include <squall/ioloop.h>
#include <squall/iostream.h>
#include <squall/web.h>
#ifdef SQUALL_HAS_CURL
#include <squall/http/client/curl_http_client.h>
#endif

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

using namespace squall;
using namespace std::chrono_literals;

namespace {

// An object of a loop. `use` calls its functions, also after the end of the loop.
struct Held {
  std::shared_ptr<void> object;
  std::function<void()> use;
};

// Static, so it is destroyed after the implicit loop of the main thread.
struct Keeper {
  ~Keeper() {
    if (held.use) held.use();
    held.object.reset();
    if (is_used) std::puts("ended");
  }
  Held held;
  bool is_used = false;
} g_keeper;

constexpr auto kPatience = 20s;

std::pair<IOStream, IOStream> stream_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
    throw_errno("socketpair");
  return {IOStream(OwnedFd(fds[0])), IOStream(OwnedFd(fds[1]))};
}

// ---- Servers, with a connection that a handler serves, one that waits for a request, and one with half of a
// request.

Event* g_begun = nullptr;

class WaitingHandler : public web::RequestHandler {
 public:
  Task<> get() {
    g_begun->set();
    co_await sleep(1h);
  }
};

struct Clients {
  std::optional<IOStream> served;
  std::optional<IOStream> half;
  std::optional<IOStream> idle;
  Event begun;
};

Task<> connect_all(Clients& clients, std::uint16_t port) {
  g_begun = &clients.begun;
  IOStream idle = co_await TCPClient::connect("127.0.0.1", port);
  clients.idle.emplace(std::move(idle));
  IOStream half = co_await TCPClient::connect("127.0.0.1", port);
  clients.half.emplace(std::move(half));
  co_await clients.half->write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
  IOStream served = co_await TCPClient::connect("127.0.0.1", port);
  clients.served.emplace(std::move(served));
  co_await clients.served->write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  co_await clients.begun.wait();
}

Held application(IOLoop& loop) {
  struct Objects {
    web::Application app{{web::url<WaitingHandler>("/")}};
    Clients clients;
  };
  auto objects = std::make_shared<Objects>();
  const ListenOptions here{.address = "127.0.0.1"};
  http::HTTPServer& server = objects->app.listen(0, here);
  const std::string name = fmt::format("squall-lifetime-{}", ::getpid());
  objects->app.listen_unix((std::filesystem::temp_directory_path() / name).string());
  loop.run_sync(connect_all(objects->clients, server.port()), kPatience);
  return {objects, [&server] {
            server.close_all_connections();
            server.stop();
          }};
}

Held http_server(IOLoop& loop) {
  struct Objects {
    Clients clients;
    std::unique_ptr<http::FunctionServer> server;
  };
  auto objects = std::make_shared<Objects>();
  http::ServeOptions options;
  options.listen.address = "127.0.0.1";
  options.body = http::ServerDelegate::Body::streamed;
  const auto answer = [](http::Exchange&) -> Task<> {
    g_begun->set();
    co_await sleep(1h);
  };
  objects->server = http::serve(0, answer, options);
  loop.run_sync(connect_all(objects->clients, objects->server->port()), kPatience);
  return {objects, [server = objects->server.get()] { server->stop(); }};
}

class Reader : public TCPServer {
 public:
  using TCPServer::TCPServer;
  Event begun;

 private:
  Task<> handle_stream(IOStream stream, Address) override {
    begun.set();
    co_await stream.read_bytes(100);
  }
};

Held tcp_server(IOLoop& loop) {
  struct Objects {
    Reader server;
    std::optional<IOStream> client;
  };
  auto objects = std::make_shared<Objects>();
  objects->server.listen(0, {.address = "127.0.0.1"});
  const auto connect = [](Objects& all) -> Task<> {
    IOStream client = co_await TCPClient::connect("127.0.0.1", all.server.port());
    all.client.emplace(std::move(client));
    co_await all.server.begun.wait();
  };
  loop.run_sync(connect(*objects), kPatience);
  return {objects, [objects = objects.get()] {
            objects->server.close_all_connections();
            objects->server.stop();
          }};
}

// ---- Streams, with a read and a write that wait.

Held stream(IOLoop& loop) {
  struct Objects {
    std::pair<IOStream, IOStream> pair = stream_pair();
    TaskGroup tasks;
  };
  auto objects = std::make_shared<Objects>();
  const auto read = [](IOStream& from) -> Task<> { co_await from.read_until("\n"); };
  const auto write = [](IOStream& to) -> Task<> {
    std::string bytes(4'000'000, 'x');
    co_await to.write(std::move(bytes));
  };
  objects->tasks.add(read(objects->pair.first));
  objects->tasks.add(write(objects->pair.first));
  objects->pair.second.set_close_callback([] {});
  loop.run_once(0s);
  return {objects, [objects = objects.get()] {
            [[maybe_unused]] const auto dropped = objects->pair.second.write("more");
            objects->pair.second.set_close_callback([] {});
            objects->pair.second.close();
          }};
}

// A stream that no task uses any more; it is moved after the end of the loop.
Held idle_stream(IOLoop& loop) {
  auto pair = std::make_shared<std::pair<IOStream, IOStream>>(stream_pair());
  const auto talk = [](IOStream& from, IOStream& to) -> Task<> {
    co_await to.write("line\n");
    co_await from.read_until("\n");
  };
  loop.run_sync(talk(pair->first, pair->second), kPatience);
  return {pair, [pair = pair.get()] {
            IOStream moved(std::move(pair->first));
            [[maybe_unused]] const auto dropped = moved.write("more");
            moved.shutdown_write();
          }};
}

// ---- Tasks that wait.

// Holds tasks in a group, and objects that they refer to.
template <class Objects>
struct WithTasks : Objects {
  TaskGroup tasks;
};
struct Nothing {};

Held timer(IOLoop& loop) {
  auto held = std::make_shared<WithTasks<Nothing>>();
  const auto nap = [](IOLoop::Duration time) -> Task<> { co_await sleep(time); };
  const auto limited = [](auto inner) -> Task<> { co_await with_timeout(1h, inner(2h)); };
  held->tasks.add(nap(1h));
  held->tasks.add(limited(nap));
  loop.run_once(0s);
  return {held, [held = held.get(), nap] { held->tasks.add(nap(1ms)); }};
}

Held periodic(IOLoop& loop) {
  const auto wait = []() -> Task<> { co_await sleep(1h); };
  struct Pair {
    PeriodicCallback plain;
    PeriodicCallback waiting;
  };
  auto held = std::shared_ptr<Pair>(new Pair{{1ms, [] {}}, {1ms, wait}});
  held->plain.start();
  held->waiting.start();
  const auto nap = []() -> Task<> { co_await sleep(20ms); };
  loop.run_sync(nap(), kPatience);
  return {held, [held = held.get()] {
            held->plain.stop();
            held->plain.start();
          }};
}

Held future(IOLoop& loop) {
  struct Objects {
    Promise<int> promise;
    Promise<int> called;
    Event event;
    Condition condition;
    Semaphore semaphore{0};
    Queue<int> queue{1};
  };
  auto held = std::make_shared<WithTasks<Objects>>();
  const auto get = [](Future<int> value) -> Task<> { co_await std::move(value); };
  const auto wait = [](auto& waits) -> Task<> { co_await waits.wait(); };
  const auto wait_long = [](auto& waits) -> Task<> { co_await waits.wait(1h); };
  const auto acquire = [](Semaphore& from) -> Task<> {
    const Permit permit = co_await from.acquire();
    static_cast<void>(permit);
  };
  const auto take = [](Queue<int>& from) -> Task<> { co_await from.get(); };
  held->tasks.add(get(held->promise.get_future()));
  held->called.get_future().on_done([](Future<int>) {});
  held->tasks.add(wait(held->event));
  held->tasks.add(wait_long(held->event));
  held->tasks.add(wait(held->condition));
  held->tasks.add(acquire(held->semaphore));
  held->tasks.add(take(held->queue));
  loop.run_once(0s);
  return {held, [held = held.get()] {
            held->promise.set_value(1);
            held->called.set_value(1);
            held->event.set();
            held->condition.notify_all();
            held->semaphore.release();
            held->queue.put_nowait(1);
          }};
}

Held signal_wait(IOLoop& loop) {
  auto held = std::make_shared<WithTasks<Nothing>>();
  const auto wait = [](IOLoop& of) -> Task<> { co_await of.signal(SIGUSR1); };
  held->tasks.add(wait(loop));
  loop.run_once(0s);
  return {held, [] {}};
}

Held ready_wait(IOLoop& loop) {
  auto held = std::make_shared<WithTasks<Nothing>>();
  int fds[2];
  if (::pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) throw_errno("pipe2");
  const auto wait = [](OwnedFd fd) -> Task<> { co_await wait_readable(fd.get()); };
  held->tasks.add(wait(OwnedFd(fds[0])));
  auto writer = std::make_shared<OwnedFd>(fds[1]);
  loop.run_once(0s);
  return {held, [writer] {}};
}

// A job and a completion that end after the loop.
Held pool(IOLoop& loop) {
  using MayEnd = std::counting_semaphore<>;
  struct Release {
    ~Release() { may_end.release(); }
    MayEnd& may_end;
  };
  struct Objects {
    MayEnd may_end{0};
    ThreadPool threads{{.max_threads = 1}};
    Release release{may_end};
    std::optional<Completion<int>> completion;
  };
  auto held = std::make_shared<WithTasks<Objects>>();
  const auto job = [](ThreadPool& threads, MayEnd& may_end) -> Task<> {
    const auto wait = [](MayEnd* until) { until->acquire(); };
    co_await run_in_executor(threads, wait, &may_end);
  };
  const auto complete = [](std::optional<Completion<int>>& completion) -> Task<> {
    auto start = [&completion](Completion<int> done) { completion.emplace(std::move(done)); };
    co_await from_callback<int>(start);
  };
  held->tasks.add(job(held->threads, held->may_end));
  held->tasks.add(complete(held->completion));
  loop.run_once(0s);
  return {held, [held = held.get()] {
            held->may_end.release();
            held->completion->set_value(1);
          }};
}

// ---- Clients.

// A fetch that waits for its response, a kept connection, and a fetch that waits for a slot.
template <class Client>
struct ClientObjects {
  Clients unused;
  std::unique_ptr<http::FunctionServer> server;
  std::unique_ptr<Client> client;
};

template <class Client>
Held client(IOLoop& loop) {
  auto held = std::make_shared<WithTasks<ClientObjects<Client>>>();
  g_begun = &held->unused.begun;
  http::ServeOptions options;
  options.listen.address = "127.0.0.1";
  const auto answer = [](http::ServerRequest& request) -> Task<http::ServerResponse> {
    if (request.path() == "/wait") {
      g_begun->set();
      co_await sleep(1h);
    }
    co_return http::ServerResponse("answer");
  };
  held->server = http::serve(0, answer, options);
  http::AsyncHTTPClient::Options limits;
  limits.max_clients = 2;
  held->client = std::make_unique<Client>(limits);
  const auto fetch = [](http::AsyncHTTPClient& from, std::string url) -> Task<> {
    co_await from.fetch(std::move(url));
  };
  const std::string url = fmt::format("http://127.0.0.1:{}", held->server->port());
  loop.run_sync(fetch(*held->client, url + "/"), kPatience);
  for (int i = 0; i < 3; ++i) held->tasks.add(fetch(*held->client, url + "/wait"));
  const auto wait = [](Event& begun) -> Task<> { co_await begun.wait(); };
  loop.run_sync(wait(*g_begun), kPatience);
  return {held, [held = held.get()] { held->client->close(); }};
}

// The client that belongs to the loop.
Held shared_client(IOLoop& loop) {
  auto held = client<http::SimpleAsyncHTTPClient>(loop);
  http::AsyncHTTPClient::current();
  auto tasks = std::make_shared<WithTasks<Nothing>>();
  const auto fetch = []() -> Task<> {
    co_await http::AsyncHTTPClient::current().fetch("http://127.0.0.1:1/");
  };
  tasks->tasks.add(fetch());
  return {std::make_shared<std::pair<std::shared_ptr<void>, std::shared_ptr<void>>>(held.object, tasks), {}};
}

// ---- Resolvers.

class SlowResolver final : public Resolver {
 public:
  Task<Answer> look_up(std::string, std::uint16_t, int) override {
    co_await sleep(1h);
    co_return Answer{};
  }
};

Held resolver(IOLoop& loop) {
  struct Objects {
    SlowResolver slow;
    CachingResolver caching{slow};
    std::unique_ptr<CaresResolver> cares;
  };
  auto held = std::make_shared<WithTasks<Objects>>();
  const auto look_up = [](Resolver& in) -> Task<> { co_await in.resolve("name.invalid", 80); };
  held->tasks.add(look_up(held->caching));
  if (CaresResolver::is_built_in()) {
    CaresResolver::Options options;
    options.servers = "127.0.0.1:9";  // discards all queries
    options.timeout = 1h;
    held->cares = std::make_unique<CaresResolver>(options);
    held->tasks.add(look_up(*held->cares));
  }
  loop.run_once(0s);
  return {held, {}};
}

// ---- Processes.

Held subprocess(IOLoop& loop) {
  struct Objects {
    std::optional<Subprocess> cat;
  };
  auto held = std::make_shared<WithTasks<Objects>>();
  Subprocess::Options options;
  options.std_in = Subprocess::kStream;
  options.std_out = Subprocess::kStream;
  held->cat.emplace(std::vector<std::string>{"cat"}, options);
  held->cat->set_exit_callback([](int) {});
  const auto wait = [](const Subprocess& program) -> Task<> { co_await program.wait_for_exit(); };
  held->tasks.add(wait(*held->cat));
  loop.run_once(0s);
  return {held, [held = held.get()] { held->cat->set_exit_callback([](int) {}); }};
}

using Make = Held (*)(IOLoop& loop);
const std::map<std::string_view, Make> kKinds = {
    {"application", application},
    {"http_server", http_server},
    {"tcp_server", tcp_server},
    {"stream", stream},
    {"idle_stream", idle_stream},
    {"timer", timer},
    {"periodic", periodic},
    {"future", future},
    {"signal", signal_wait},
    {"ready", ready_wait},
    {"pool", pool},
    {"client", client<http::SimpleAsyncHTTPClient>},
#ifdef SQUALL_HAS_CURL
    {"curl_client", client<http::CurlAsyncHTTPClient>},
#endif
    {"shared_client", shared_client},
    {"resolver", resolver},
    {"subprocess", subprocess},
};

// ---- The orders.

// The object is static, and the loop is the implicit one of the main thread.
void implicit(Make make) {
  g_keeper.held = make(IOLoop::current());
  g_keeper.is_used = true;
}
// The same, and the object was stopped before the end of the program.
void stopped(Make make) {
  implicit(make);
  if (g_keeper.held.use) g_keeper.held.use();
  g_keeper.held.use = nullptr;
  IOLoop::current().run_once(0s);
}
// The loop is destroyed while the object is used, and again after other loops have begun.
void loop_first(Make make) {
  auto loop = std::make_unique<IOLoop>();
  const Held held = make(*loop);
  loop.reset();
  if (held.use) held.use();
  IOLoop other;
  other.run_once(0s);
}
void object_first(Make make) {
  IOLoop loop;
  Held held = make(loop);
  held.object.reset();
  loop.run_once(0s);
}
// A thread's loop ends with the thread, and its object on another thread.
void thread_first(Make make) {
  Held held;
  std::thread([&held, make] { held = make(IOLoop::current()); }).join();
  if (held.use) held.use();
}
// A static loop that is constructed after the static object.
void static_loop(Make make) {
  static IOLoop loop;
  g_keeper.held = make(loop);
  g_keeper.is_used = true;
}
// The object is owned by a task of the loop.
void in_task(Make make) {
  IOLoop loop;
  const auto own = [](Held held) -> Task<> {
    co_await sleep(1h);
    held.object.reset();
  };
  loop.spawn(own(make(loop)));
}
// The object is in a callback that never runs, and the loop is the implicit one.
void in_callback(Make make) {
  IOLoop& loop = IOLoop::current();
  loop.add_callback([held = make(loop)] {});
}

using Order = void (*)(Make make);
const std::map<std::string_view, Order> kOrders = {
    {"implicit", implicit},         {"stopped", stopped},           {"loop_first", loop_first},
    {"object_first", object_first}, {"thread_first", thread_first}, {"static_loop", static_loop},
    {"in_task", in_task},           {"in_callback", in_callback},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    for (const auto& [kind, make] : kKinds) fmt::print("kind {}\n", kind);
    for (const auto& [order, run] : kOrders) fmt::print("order {}\n", order);
    return 0;
  }
  kOrders.at(argv[2])(kKinds.at(argv[1]));
  std::puts("main returns");
  return 0;
}
