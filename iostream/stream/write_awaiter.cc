#include <squall/iostream/stream/write_awaiter.h>

#include <squall/iostream/address/errors.h>
#include <squall/iostream/stream/stream_writer.h>

namespace squall {

bool WriteAwaiter::await_ready() { return writer_->try_write(target_); }

void WriteAwaiter::await_suspend(std::coroutine_handle<> waiter) {
  resume_.set(waiter);
  writer_->begin_wait(*this);
}

void WriteAwaiter::await_resume() {
  if (!writer_) throw StreamClosedError();
  unlink();
  if (writer_->flushed_bytes() < target_) throw StreamClosedError(writer_->link().error());
}

}  // namespace squall
