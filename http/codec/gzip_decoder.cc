#include <squall/http/codec/gzip_decoder.h>

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace squall::http {
namespace {

constexpr int kWindow = 15;
constexpr int kGzip = 16;  // added to the window bits: a gzip header and trailer
constexpr std::size_t kMost = std::numeric_limits<uInt>::max();

// The first byte of the zlib format: deflated data with a window of up to 32 KiB (RFC 1950, 2.2).
bool begins_zlib(unsigned char byte) noexcept { return (byte & 0x0f) == 8 && byte >> 4 <= 7; }

}  // namespace

struct GzipDecoder::Stream {
  z_stream zlib{};
};

GzipDecoder::GzipDecoder(Format format, TrailingZeros zeros)
    : stream_(std::make_unique<Stream>()), format_(format), zeros_(zeros) {
  begin(format == Format::gzip ? kWindow + kGzip : kWindow);
}

GzipDecoder::~GzipDecoder() { ::inflateEnd(&stream_->zlib); }

void GzipDecoder::begin(int window_bits) {
  if (::inflateInit2(&stream_->zlib, window_bits) != Z_OK) throw std::bad_alloc();
}

std::size_t GzipDecoder::decode(std::string_view& input, std::span<char> output) {
  z_stream& zlib = stream_->zlib;
  std::size_t made = 0;
  while (state_ != State::failed && made < output.size()) {
    if (!begun_ && !input.empty()) {
      begun_ = true;
      if (format_ == Format::deflate && !begins_zlib(static_cast<unsigned char>(input.front())))
        ::inflateReset2(&zlib, -kWindow);
    }
    if (state_ == State::end) {
      if (zeros_ == TrailingZeros::ignored)
        input.remove_prefix(std::min(input.find_first_not_of('\0'), input.size()));
      if (input.empty()) break;
      // Only gzip may have another member.
      if (format_ != Format::gzip || ::inflateReset(&zlib) != Z_OK) {
        state_ = State::failed;
        break;
      }
      state_ = State::open;
    }
    const auto in = static_cast<uInt>(std::min(input.size(), kMost));
    const auto room = static_cast<uInt>(std::min(output.size() - made, kMost));
    zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    zlib.avail_in = in;
    zlib.next_out = reinterpret_cast<Bytef*>(output.data() + made);
    zlib.avail_out = room;
    const int result = ::inflate(&zlib, Z_NO_FLUSH);
    const std::size_t used = in - zlib.avail_in;
    const std::size_t gained = room - zlib.avail_out;
    input.remove_prefix(used);
    made += gained;
    if (result == Z_STREAM_END) {
      state_ = State::end;
    } else if (result == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (result == Z_BUF_ERROR || (result == Z_OK && used == 0 && gained == 0)) {
      if (!input.empty()) state_ = State::failed;  // no progress (H1C-43)
      break;
    } else if (result != Z_OK) {
      state_ = State::failed;
    }
  }
  return made;
}

}  // namespace squall::http
