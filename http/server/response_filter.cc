#include <squall/http/server/response_filter.h>

#include <utility>

namespace squall::http {

void ResponseFilters::head(int& status, Headers& headers, std::optional<std::uint64_t> size) {
  if (std::exchange(has_seen_head_, true)) return;
  for (const Stage& stage : stages_) stage.filter->head(status, headers, size);
}

std::string_view ResponseFilters::pass(std::string_view piece, Last last) {
  for (Stage& stage : stages_) {
    stage.out.clear();
    if (!piece.empty()) stage.filter->piece(piece, stage.out);
    if (last == Last::yes) stage.filter->end(stage.out);
    piece = stage.out;
  }
  return piece;
}

}  // namespace squall::http
