#include <squall/web/output/compression.h>

#include <squall/http/codec/content_length.h>
#include <squall/http/message/accept.h>
#include <squall/http/message/etag.h>
#include <squall/http/message/header_params.h>
#include <squall/http/message/status.h>
#include <squall/http/message/vary.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/web/handler/request_handler.h>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace squall::web {
namespace {

using http::ContentEncoder;

constexpr std::string_view kIdentity = "identity";

class EncodingFilter final : public http::ResponseFilter, public Pooled {
 public:
  // Without an encoder the body is dropped.
  EncodingFilter(std::unique_ptr<ContentEncoder> encoder, ContentEncoder::Then after_piece)
      : encoder_(std::move(encoder)), after_piece_(after_piece) {}
  void head(int&, http::Headers&, std::optional<std::uint64_t>) override {}
  void piece(std::string_view piece, std::string& out) override {
    if (encoder_) encoder_->encode(piece, after_piece_, out);
  }
  void end(std::string& out) override {
    if (encoder_) encoder_->encode({}, ContentEncoder::Then::end, out);
  }

 private:
  std::unique_ptr<ContentEncoder> encoder_;
  ContentEncoder::Then after_piece_;
};

void weaken_etag(http::Headers& headers) {
  const auto tag = headers.find("ETag");
  if (!tag || tag->starts_with("W/")) return;
  const std::string weak = fmt::format("W/{}", *tag);
  headers.set("ETag", weak);
}

bool has_element(const http::Headers& headers, std::string_view name, std::string_view wanted) {
  const std::string list = headers.get(name);
  std::string_view rest = list;
  while (const auto element = http::next_list_element(rest))
    if (equals_ignoring_case(*element, wanted)) return true;
  return false;
}

}  // namespace

Middleware detail::make_compression(const CompressionOptions& options) { return Compression(options); }

Compression::Compression(Options options) : options_(std::move(options)) {
  const auto available = http::offered_content_codings();
  for (const std::string& coding : options_.codings) {
    if (coding != "gzip" && coding != "br" && coding != "zstd")
      throw std::invalid_argument(fmt::format("Responses cannot be compressed by '{}'", coding));
    const auto found = std::find(available.begin(), available.end(), coding);
    if (found != available.end()) offered_.push_back(*found);
  }
  offered_.push_back(kIdentity);
}

void Compression::before_head(RequestHandler& handler, std::optional<std::uint64_t> size) {
  http::Exchange& exchange = handler.exchange();
  http::Headers& headers = exchange.headers();
  http::add_vary(headers, "Accept-Encoding");
  const http::ServerRequest& request = handler.request();
  const bool is_head = request.method() == http::Method::head;
  const bool drops_body = is_head && size.value_or(0) == 0;
  // A handler of HEAD may announce the length of the body that GET has, without making the body.
  if (const auto length = headers.find(http::HeaderId::content_length); drops_body && length)
    size = http::parse_content_length(*length);
  const bool is_not_modified = handler.status() == 304;
  if (!is_not_modified) {
    if (http::status_forbids_body(handler.status()) || (size && *size < options_.min_size)) return;
    if (!is_compressible(headers.find(http::HeaderId::content_type).value_or(""))) return;
  }
  if (!may_change(headers)) return;
  const std::string_view coding = choose_coding(request.headers());
  if (coding == kIdentity) return;
  weaken_etag(headers);
  if (is_not_modified) return;
  headers.set("Content-Encoding", coding);
  headers.remove("Content-Length");
  headers.remove("Accept-Ranges");
  auto encoder = drops_body ? nullptr : http::make_content_encoder(coding, options_.levels, size);
  exchange.add_filter(std::make_unique<EncodingFilter>(
      std::move(encoder), size ? ContentEncoder::Then::more : ContentEncoder::Then::flush));
}

// Whether a coding leaves all other headers of the response true.
bool Compression::may_change(const http::Headers& headers) const {
  for (const char* name : {"Content-Encoding", "Content-Range", "Content-Digest", "Repr-Digest", "Digest"})
    if (headers.contains(name)) return false;
  return !has_element(headers, "Cache-Control", "no-transform");
}

bool Compression::is_compressible(std::string_view content_type) const noexcept {
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  return std::any_of(options_.types.begin(), options_.types.end(), [type](std::string_view known) {
    if (!known.ends_with("/*")) return equals_ignoring_case(type, known);
    known.remove_suffix(1);
    return starts_with_ignoring_case(type, known);
  });
}

// `identity` for a client that accepts nothing else, or prefers it.
std::string_view Compression::choose_coding(const http::Headers& request) const {
  const std::string accepted = request.get("Accept-Encoding");
  const auto chosen = http::choose_encoding(accepted, offered_);
  return chosen ? offered_[*chosen] : kIdentity;
}

}  // namespace squall::web
