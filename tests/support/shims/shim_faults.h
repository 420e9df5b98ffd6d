#pragma once

// Lets a test make the calls of the shims fail.
struct SquallShimFaults {
  // The errno that a call fails with; 0 if it does its work. `fd` is the descriptor that the call is about,
  // or -1. The calls: `kqueue`; `kevent change` for a change, `kevent wait`; `/dev/poll`, `/dev/poll change`
  // for a write, `/dev/poll wait`.
  int (*error_of)(const char* call, int fd);
  // The shims' own system calls do not fail.
  void (*enter)();
  void (*leave)();
};
// Null: no call fails.
inline const SquallShimFaults* squall_shim_faults = nullptr;

inline int squall_shim_error(const char* call, int fd) {
  return squall_shim_faults ? squall_shim_faults->error_of(call, fd) : 0;
}

// A call of a shim at work.
class SquallInsideShim {
 public:
  SquallInsideShim() {
    if (squall_shim_faults) squall_shim_faults->enter();
  }
  ~SquallInsideShim() {
    if (squall_shim_faults) squall_shim_faults->leave();
  }
  SquallInsideShim(const SquallInsideShim&) = delete;
  SquallInsideShim& operator=(const SquallInsideShim&) = delete;
};
