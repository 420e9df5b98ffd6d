#include "messages.h"

#include <squall/web.h>

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

constexpr std::string_view kItem =
    R"(<li class="message hue{hue}" id="m{id}" data-name="{name}">)"
    R"(<span class="avatar" aria-hidden="true">{initial}</span>)"
    R"(<div class="bubble"><b>{name}</b> <time datetime="{time}">{clock} UTC</time><p>{body}</p></div></li>)";

}  // namespace

Message make_message(std::string name, std::string body) {
  const std::tm now = fmt::gmtime(std::time(nullptr));
  const web::LinkifyOptions links{.extra_params = R"(rel="nofollow noopener" target="_blank")"};
  Message made{.id = random_uuid(), .name = std::move(name), .body = std::move(body), .html = {}};
  made.html = fmt::format(kItem, fmt::arg("hue", hue_of(made.name)), fmt::arg("id", made.id),
                          fmt::arg("name", web::xhtml_escape(made.name)),
                          fmt::arg("initial", web::xhtml_escape(first_character(made.name))),
                          fmt::arg("time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", now)),
                          fmt::arg("clock", fmt::format("{:%H:%M}", now)),
                          fmt::arg("body", web::linkify(made.body, links)));
  return made;
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

std::string Messages::html() const {
  std::string html;
  for (const Message& message : kept_) html += message.html;
  return html;
}

void Messages::close() {
  is_closed_ = true;
  changed_.notify_all();
}

}  // namespace chat
