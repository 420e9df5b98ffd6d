#include <squall/iostream/write_awaiter.h>

#include <squall/iostream/iostream.h>

namespace squall {

WriteAwaiter::~WriteAwaiter() {
  if (waiting_ && stream_) stream_->leave_writers(*this);
}

bool WriteAwaiter::await_ready() {
  if (stream_->flushed_ >= target_) return true;
  if (!stream_->closed() && !stream_->blocked_) {
    stream_->flush_now();
    stream_->wake_writers();
  }
  return stream_->closed() || stream_->flushed_ >= target_;
}

void WriteAwaiter::await_suspend(std::coroutine_handle<> writer) {
  resume_.set(writer);
  WriteAwaiter** link = &stream_->writers_;
  while (*link) link = &(*link)->next_;
  *link = this;
  waiting_ = true;
}

void WriteAwaiter::await_resume() {
  if (!stream_) throw StreamClosedError();
  if (waiting_) stream_->leave_writers(*this);
  if (stream_->flushed_ < target_) throw StreamClosedError(stream_->error_);
}

}  // namespace squall
