#include <squall/http/codec/gzip_encoder.h>

#include <squall/http/codec/encoder_window.h>

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace squall::http {
namespace {

constexpr int kLeastGzipWindow = 9;  // zlib codes nothing with a window of 256 bytes
constexpr int kMostGzipWindow = 15;
constexpr int kGzipFormat = 16;  // added to the window bits: a gzip header and trailer
constexpr std::size_t kMostGzipInput = std::numeric_limits<uInt>::max();

int zlib_flush(ContentEncoder::Then then) noexcept {
  if (then == ContentEncoder::Then::end) return Z_FINISH;
  return then == ContentEncoder::Then::flush ? Z_SYNC_FLUSH : Z_NO_FLUSH;
}

}  // namespace

struct GzipEncoder::Stream {
  z_stream zlib{};
};

GzipEncoder::GzipEncoder(int level, std::optional<std::uint64_t> size) : stream_(std::make_unique<Stream>()) {
  const int window = window_bits_for(size, kLeastGzipWindow, kMostGzipWindow);
  const int memory = window - 7;  // zlib's default, 8, for the largest window
  if (::deflateInit2(&stream_->zlib, std::clamp(level, 1, 9), Z_DEFLATED, window + kGzipFormat, memory,
                     Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
}

GzipEncoder::~GzipEncoder() { ::deflateEnd(&stream_->zlib); }

void GzipEncoder::encode(std::string_view input, Then then, std::string& out) {
  z_stream& zlib = stream_->zlib;
  char space[16 * 1024];
  do {
    const std::string_view piece = input.substr(0, kMostGzipInput);
    input.remove_prefix(piece.size());
    zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    zlib.avail_in = static_cast<uInt>(piece.size());
    const int flush = input.empty() ? zlib_flush(then) : Z_NO_FLUSH;
    // zlib has more output as long as it fills the space.
    do {
      zlib.next_out = reinterpret_cast<Bytef*>(space);
      zlib.avail_out = sizeof space;
      ::deflate(&zlib, flush);  // fails only without progress: Z_BUF_ERROR
      out.append(space, sizeof space - zlib.avail_out);
    } while (zlib.avail_out == 0);
  } while (!input.empty());
}

}  // namespace squall::http
