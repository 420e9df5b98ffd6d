#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/base/void_function.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

// Executes the program again when its files change: for development.
//
//     web::Application app({...}, {.debug = true});  // autoreload as soon as the application listens
//
//     app.listen(8888);
//     autoreload::start();                           // without an application's setting
//     autoreload::watch("translations");
//
// start() watches the executable, its shared libraries outside the system's folders, and the files and
// folders of watch(). After a change (FileWatcher) the process
//   1. logs `PATH modified; restarting server` (ARL-03);
//   2. waits until the executable and its shared libraries are complete: a linker may still write them;
//   3. runs the reload tasks, all at once, for at most kTaskTime. An application drains its servers: requests
//      that have begun are answered;
//   4. calls the reload hooks, in their order (ARL-02);
//   5. executes the program again: the same process id, and the arguments and the environment of its start
//      (ARL-05).
//
// The sockets of bind_sockets(), of the functions listen() and of listen_fds() stay open all the time, so the
// kernel refuses no connection: new connections wait until the program accepts again. The program takes the
// sockets by calls with the same arguments, without a change of its code; port 0 keeps its port. Sockets that
// no call has taken kUnclaimed after start(), or after the first listening call with a loop, are closed. With
// ListenOptions::reuse_port each loop takes the sockets of one call: with fewer loops than before, the others
// are closed then, and connections that wait in them are cut.
//
// Descriptors that are close-on-exec are closed, as all of Squall's are. Threads end without destructors, and
// so do the connections that did not end in time, and objects of main(). Child processes continue, and are
// children of the process still: end those that the program starts anew in a hook. A child of
// fork_processes() is never executed again (ARL-04).
//
// A program that ends at its start, for example because a library is missing, is not started again:
// squall-watch does that. Under squall-watch, start() does not watch the executable.
//
// Thread:    the functions: the thread of the loop of start(), or before it.
// Source:    ARL rows of the specification.
namespace squall::autoreload {

namespace detail {
struct ReloadWork;
}

inline constexpr std::chrono::milliseconds kInterval{500};
inline constexpr std::chrono::milliseconds kTaskTime{1000};
inline constexpr std::chrono::seconds kUnclaimed{5};

// Begins to watch, in a task of the loop. `interval` is the time between two looks at the files where the
// system gives no notices: see FileWatcher. Does nothing if it runs on this loop, and in a child of
// fork_processes(); logs a warning if it runs on another loop (ARL-01). Throws std::invalid_argument for an
// interval that is not positive.
void start(IOLoop& loop = IOLoop::current(), TimeSpan interval = kInterval);
// As start() with kInterval, but without the warning. Whether autoreload runs on this loop.
bool start_unless_running(IOLoop& loop = IOLoop::current());

// Watches a file, or all files in a folder, too. May be called before start(). A missing file is no change.
void watch(const std::string& path);
// `hook` runs before the program is executed again, behind the hooks before it, also if one of them has added
// it. Exceptions are logged.
void add_reload_hook(VoidFunction<> hook);

// The same for work that waits: `make` makes a task, which is destroyed after kTaskTime. Dropping the object
// removes it, and ends its task where it waits: the objects that the task uses may end then. The task itself
// must not drop it.
class [[nodiscard]] ReloadTask {
 public:
  explicit ReloadTask(std::function<Task<>()> make);
  ReloadTask(ReloadTask&&) noexcept = default;
  ReloadTask& operator=(ReloadTask&&) = delete;
  ~ReloadTask();

 private:
  std::shared_ptr<detail::ReloadWork> work_;
};

// Blocks until a change, and executes the program again: for a main() that has failed (ARL-08). It runs a
// loop of its own. Throws std::logic_error while a loop of this thread runs. Returns only where the system
// cannot execute the program again.
void wait();

}  // namespace squall::autoreload
