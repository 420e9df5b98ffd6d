#pragma once

#include <squall/web/template/expression.h>
#include <squall/web/template/template_tree.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web::detail {

// The instructions of a compiled template. Expressions work on a stack of values: "takes" names the values
// that an instruction pops, the topmost last.
enum class TemplateOp : std::uint8_t {
  text,                   // writes texts[a]
  emit,                   // takes a value, writes it by TemplateEscape(flag)
  emit_variable,          // writes variable b by TemplateEscape(flag)
  to_text,                // takes a value, pushes its text
  constant,               // pushes constants[a]
  load,                   // pushes variable a
  attribute,              // takes a map, pushes the entry names[a]
  index,                  // takes container and index
  slice,                  // takes value, begin, end, step
  store,                  // takes a value for variable a; flag: the value is an item of the innermost loop
  unpack,                 // takes a list of a items, pushes them, the first topmost; flag as above
  list,                   // takes a items
  map,                    // takes a keys and a values
  binary,                 // takes two values; Operator(flag), b: the right one is a tuple
  unary,                  // takes a value; Operator(flag)
  compare,                // takes two values; Operator(flag)
  compare_chain,          // the same, but leaves the right value if true, or leaves False and jumps to a
  jump,                   // to a
  jump_if_false,          // takes a value
  jump_or_drop_if_false,  // jumps to a and leaves the value, if it is false; otherwise takes it
  jump_or_drop_if_true,
  call,         // takes function and arguments of calls[a]
  call_method,  // takes object and arguments of calls[a]; names[b]
  iterate,      // takes a value, begins a loop over it
  next,         // pushes the next item, or jumps to a
  repeat_into,  // stores the next item in variable b and jumps to a, or goes on
  next_into,    // stores the next item in variable b, or jumps to a
  settle,       // the variable a gets a copy of the item that it refers to
  leave_loop,   // ends the innermost loop of iterate
  begin_list,   // of a comprehension
  append_item,  // takes an item
  end_list,     // pushes the list
  begin_capture,
  end_capture,  // pushes what was written since
  apply,        // takes text and function, pushes the result
  push_try,     // an error jumps to a
  pop_try,
  match_fault,  // jumps to b unless the error is one of fault_lists[a]
  push_fault,   // pushes the error's text
  clear_fault,  // the error is dealt with
  rethrow,
  call_finally,   // runs the instructions from a to end_finally
  begin_rethrow,  // the same for an error, which goes on behind end_finally
  end_finally,
  drop_finally,  // `break` out of finally
  stop,
};

struct TemplateInstruction {
  TemplateOp op = TemplateOp::stop;
  std::uint8_t flag = 0;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
};

// The arguments of a call: how many, and the names of the last of them.
struct CallShape {
  std::size_t count = 0;
  std::vector<std::string> names{};
};

// A template with all files that it extends and includes. Immutable: any number of threads run it at a time.
struct TemplateProgram {
  struct Place {
    std::uint32_t file;  // in files
    std::uint32_t offset;
  };

  std::vector<TemplateInstruction> instructions{};
  std::vector<Place> places{};            // of each instruction
  std::vector<std::string> variables{};   // names; a variable of a comprehension has an empty name
  std::vector<std::string_view> texts{};  // in the files
  std::vector<TemplateValue> constants{};
  std::vector<std::string> names{};
  std::vector<CallShape> calls{};
  std::vector<std::vector<std::string>> fault_lists{};
  std::vector<TemplateFilePtr> files{};
  // Bytes that the last run wrote: the next one allocates them at once.
  mutable std::atomic<std::size_t> last_size{0};
};

}  // namespace squall::web::detail
