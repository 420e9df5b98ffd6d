#include "messages.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <random>
#include <utility>

namespace chat {
namespace {

namespace web = squall::web;

// RFC 9562, 5.4.
std::string random_uuid() {
  std::random_device random;
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:04x}{:08x}", random(), random() & 0xffffU,
                     random() & 0xfffU, 0x8000U | (random() & 0x3fffU), random() & 0xffffU, random());
}

// The style sheet has eight colours for names, by FNV-1a.
unsigned hue_of(std::string_view name) {
  std::uint32_t hash = 2166136261;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  return (hash >> 16) % 8;
}

std::string first_character(std::string_view name) {
  return web::utf8(web::to_unicode(name).value_or(U"?").substr(0, 1)).value_or("?");
}

}  // namespace

Message make_message(web::RequestHandler& handler, std::string name, std::string body) {
  const std::tm now = fmt::gmtime(std::time(nullptr));
  Message made{.id = random_uuid(), .name = std::move(name), .body = std::move(body), .html = {}};
  const auto facts = web::TemplateValue::map({{"id", made.id},
                                              {"name", made.name},
                                              {"body", made.body},
                                              {"hue", hue_of(made.name)},
                                              {"initial", first_character(made.name)},
                                              {"time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", now)},
                                              {"clock", fmt::format("{:%H:%M}", now)}});
  made.html = handler.render_string("message.html", {{"message", facts}});
  return made;
}

void to_template_value(web::TemplateValue& out, const Message& message) {
  out = web::TemplateValue::map({{"id", message.id}, {"html", message.html}});
}

void Messages::add(Message message) {
  kept_.push_back(std::move(message));
  if (kept_.size() > kKept) kept_.pop_front();
  changed_.notify_all();
}

std::vector<Message> Messages::after(std::string_view cursor) const {
  const auto found =
      std::find_if(kept_.begin(), kept_.end(), [&](const Message& m) { return m.id == cursor; });
  return {found == kept_.end() ? kept_.begin() : found + 1, kept_.end()};
}

void Messages::close() {
  is_closed_ = true;
  changed_.notify_all();
}

}  // namespace chat
