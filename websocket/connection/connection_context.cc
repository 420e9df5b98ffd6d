#include <squall/websocket/connection/connection_context.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

namespace squall::websocket {
namespace {

// A program has few kinds of connections: a server's options, with and without compression. Further kinds
// take the places of older ones, and are then not shared with later connections.
constexpr std::size_t kRemembered = 8;

struct Remembered {
  std::array<std::weak_ptr<ConnectionContext>, kRemembered> contexts;
  std::size_t next = 0;
};

thread_local Remembered remembered;

}  // namespace

bool ConnectionContext::Facts::operator==(const Facts& other) const noexcept {
  return role == other.role && options == other.options && terms == other.terms &&
         stream.max_buffer_size == other.stream.max_buffer_size &&
         stream.max_write_buffer_size == other.stream.max_write_buffer_size &&
         stream.receive_before_reset == other.stream.receive_before_reset;
}

std::shared_ptr<ConnectionContext> ConnectionContext::of(IOLoop& loop, Facts facts) {
  for (const std::weak_ptr<ConnectionContext>& place : remembered.contexts) {
    std::shared_ptr<ConnectionContext> known = place.lock();
    if (known && &known->loop() == &loop && known->facts() == facts) return known;
  }
  auto context = std::make_shared<ConnectionContext>(loop, std::move(facts));
  auto& places = remembered.contexts;
  const auto free =
      std::find_if(places.begin(), places.end(), [](const auto& place) { return place.expired(); });
  (free != places.end() ? *free : places[remembered.next++ % kRemembered]) = context;
  return context;
}

void ConnectionContext::add_new(Member& member) noexcept {
  member.is_new_ = true;
  new_.push_back(member);
  ++active_;
}

void ConnectionContext::add(Member& member) noexcept {
  older_.push_back(member);
  ++active_;
  set_timer();
}

void ConnectionContext::remove(Member& member) noexcept {
  member.unlink();
  --active_;
}

void ConnectionContext::look_soon() noexcept {
  if (!soon_.linked()) loop_->call_soon(soon_);
}

void ConnectionContext::look_at_new() noexcept {
  new_.for_each([this](Member& member) {
    if (active_ > kKept && member.try_rest()) return;
    member.is_new_ = false;
    older_.move_to_back(member);
  });
  set_timer();
}

void ConnectionContext::look() noexcept {
  timer_ = {};
  for (std::size_t i = std::min(kBatch, active_); i > 0 && active_ > kKept && !older_.empty(); --i) {
    Member& member = older_.front();
    older_.move_to_back(member);
    if (!std::exchange(member.is_used_, false)) member.try_rest();
  }
  set_timer();
}

// Looks at each connection about once in kPause.
void ConnectionContext::set_timer() noexcept {
  if (timer_ || active_ <= kKept) return;
  const std::size_t batches = (active_ + kBatch - 1) / kBatch;
  try {
    timer_ = loop_->call_later(kPause / static_cast<TimeSpan::rep>(batches), [this] { look(); });
  } catch (const std::bad_alloc&) {
    // The next connection tries again.
  }
}

}  // namespace squall::websocket
