#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_ref.h>
#include <squall/iostream/socket/bind_sockets.h>
#include <squall/iostream/socket/listen_fds.h>

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace squall::detail {

// The listening sockets that this process has made or taken, and those that it may take: of the execution
// before this one, and of a supervisor. bind_sockets(), bind_unix_socket() and listen_fds() use it by
// SocketKeeper.
//
// Thread:    any.
class SocketRegistry {
 public:
  // The environment variable by which an execution leaves its sockets to the next one: the process id, and a
  // line for each socket, which has the descriptor and the record.
  static constexpr const char* kVariable = "SQUALL_KEPT_SOCKETS";

  // A socket that a call has made or taken. The program may have closed it: `inode` tells. The record has the
  // number of the call that made the socket, the device and the inode of a Unix socket's file, and the
  // request.
  struct Bound {
    int fd;
    ino_t inode;
    std::string record;
  };
  // A socket of LISTEN_FDS.
  struct Inheritance {
    int fd;
    ino_t inode;
    std::string name;
  };

  static SocketRegistry& get();

  // Takes the sockets that the execution before this one has left.
  void load();
  void adopt(std::vector<InheritedFd> sockets);

  // As in SocketKeeper.
  std::vector<OwnedFd> take(std::uint16_t port, const ListenOptions& options);
  OwnedFd take_unix(std::string_view name);
  void made(std::uint16_t port, const ListenOptions& options, const std::vector<OwnedFd>& sockets);
  void made_unix(std::string_view name, const OwnedFd& socket);
  void inherited(std::size_t count, const char* names);

  // Closes the sockets of the execution before this one that no call has taken; returns their number.
  std::size_t close_unclaimed() noexcept;
  // The same in autoreload::kUnclaimed, once: a further call does nothing, unless the loop of the first one
  // has ended before.
  void close_unclaimed_later(IOLoop& loop);
  // The sockets that are still open, and those that no call of this execution has taken: the next one may.
  std::vector<Bound> to_keep();
  std::vector<Inheritance> inheritance();

 private:
  // A socket that listens and that no call has taken yet.
  struct Offer {
    OwnedFd fd;
    std::string call;     // the sockets of one call are taken together
    std::string file;     // of a Unix socket
    std::string request;  // empty: of a supervisor
  };
  enum class Take { originals, copies };

  void adopt_under_squall_watch();
  void close_others_later();
  void arm(IOLoop& loop);
  std::vector<OwnedFd> take_kept(const std::string& request, const std::string& file);
  template <class Matches>
  std::vector<OwnedFd> take_adopted(Take how, Matches matches);
  void record(const std::string& request, const std::string& file, const std::vector<OwnedFd>& sockets);
  void record_one(const std::string& request, const std::string& file, int fd, unsigned call);
  void forget_closed();

  std::mutex mutex_;
  std::once_flag adopted_;
  std::optional<LoopRef> timer_loop_;  // of close_unclaimed_later()
  unsigned calls_ = 0;                 // of this execution and those before it
  std::vector<Offer> offers_;
  std::vector<Bound> bound_;
  std::vector<Inheritance> inherited_;
};

// Whether the program runs under squall-watch. The environment is read once.
bool is_under_squall_watch() noexcept;

bool is_listening(int fd) noexcept;
// 0 for no socket.
ino_t inode_of(int fd) noexcept;

}  // namespace squall::detail
