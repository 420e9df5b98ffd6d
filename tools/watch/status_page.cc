#include "watch/status_page.h"

#include <squall/http/server/response.h>
#include <squall/ioloop/base/errors.h>
#include <squall/web/escape/xhtml.h>

#include <fcntl.h>
#include <fmt/format.h>

#include <utility>

namespace squall::tools {
namespace {

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
    "h1{font-size:1.4rem;border-bottom:3px solid #d33}"
    "pre{background:#8882;border-radius:.3rem;font:.85rem/1.4 ui-monospace,monospace;"
    "overflow-wrap:anywhere;padding:.7rem;white-space:pre-wrap}footer{opacity:.7}";

// Removes the sequences that begin with ESC [ (ECMA-48, 5.4), such as colours, and other control characters.
std::string without_escapes(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto character = static_cast<unsigned char>(text[i]);
    if (character == 0x1b) {
      if (i + 1 < text.size() && text[i + 1] == '[') ++i;
      while (i + 1 < text.size() && text[i + 1] >= 0x20 && text[i + 1] < 0x40) ++i;  // parameters
      ++i;                                                                           // the final byte
    } else if (character >= 0x20 || character == '\n' || character == '\t') {
      plain += text[i];
    }
  }
  return plain;
}

http::ServerResponse respond(const std::string& page) {
  http::ServerResponse response(503, page);
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Retry-After", "1");
  // The next request of the client is for the program, if it runs by then.
  response.headers.set("Connection", "close");
  return response;
}

}  // namespace

std::string make_status_page(std::string_view title, std::string_view text) {
  const std::string escaped = web::xhtml_escape(title);
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\n"
      "<meta http-equiv=\"refresh\" content=\"1\"><meta name=\"viewport\" content=\"width=device-width\">\n"
      "<style>{}</style></head>\n<body><h1>{}</h1>\n<pre>{}</pre>\n"
      "<footer>This page of squall-watch loads itself again each second.</footer>\n</body></html>\n",
      escaped, kStyle, escaped, web::xhtml_escape(without_escapes(text)));
}

StatusPage::StatusPage(const std::vector<OwnedFd>& sockets)
    : sockets_(sockets),
      delegate_([this](http::ServerRequest&) { return respond(page_); }),
      server_(delegate_) {}

void StatusPage::show(std::string_view title, std::string_view text) {
  page_ = make_status_page(title, text);
  if (std::exchange(is_shown_, true)) return;
  std::vector<OwnedFd> copies;
  for (const OwnedFd& socket : sockets_) {
    copies.emplace_back(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
    if (!copies.back()) throw_errno("fcntl(F_DUPFD_CLOEXEC)");
  }
  server_.add_sockets(std::move(copies));
}

void StatusPage::hide() {
  is_shown_ = false;
  server_.stop();
}

}  // namespace squall::tools
