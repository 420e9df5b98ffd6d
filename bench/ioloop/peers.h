#pragma once

// The libraries that Squall is compared with in the same run, if they are installed.

#ifdef SQUALL_BENCH_ASIO
#include <asio.hpp>
#endif

#ifdef SQUALL_BENCH_LIBUV
#include <uv.h>

namespace bench {

// A uv_loop_t whose destructor closes its handles first.
class UvLoop {
 public:
  UvLoop() { uv_loop_init(&loop_); }
  ~UvLoop() {
    uv_walk(
        &loop_,
        [](uv_handle_t* handle, void*) {
          if (!uv_is_closing(handle)) uv_close(handle, nullptr);
        },
        nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }
  UvLoop(const UvLoop&) = delete;
  UvLoop& operator=(const UvLoop&) = delete;
  operator uv_loop_t*() { return &loop_; }  // NOLINT(google-explicit-constructor)

 private:
  uv_loop_t loop_;
};

}  // namespace bench
#endif
