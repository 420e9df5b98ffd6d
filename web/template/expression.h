#pragma once

#include <squall/web/template/template_value.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace squall::web::detail {

enum class Operator : std::uint8_t {
  add,
  subtract,
  multiply,
  divide,
  floor_divide,
  modulo,
  power,
  negate,
  plus,
  logical_not,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  not_in,
  is,
  is_not,
};

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

// Where a value goes: a name, or parts for the items of a list.
struct Target {
  std::string name;
  std::vector<Target> parts;  // with parts there is no name
  std::size_t offset = 0;
};

// `for target in iterable if condition if condition` of a comprehension.
struct ComprehensionClause {
  Target target;
  ExpressionPtr iterable;
  std::vector<ExpressionPtr> conditions;
};

// An expression as a tree; see expression_parser.h for the language.
struct Expression {
  enum class Kind : std::uint8_t {
    constant,
    name,
    list,           // items
    tuple,          // items; the same as a list, except as the right side of `%`
    map,            // items: key, value, key, value
    attribute,      // items[0].name
    index,          // items[0][items[1]]
    slice,          // items[0][items[1]:items[2]:items[3]]; null for a part that is left out
    call,           // items[0](items[1], ...); the last names.size() of them have names
    unary,          // op, items[0]
    binary,         // items[0] op items[1]
    compare,        // items[0] ops[0] items[1] ops[1] items[2] ...
    logical_and,    // items
    logical_or,     // items
    conditional,    // items[1] if items[0] else items[2]
    comprehension,  // [items[0] for clauses]
  };

  Kind kind;
  Operator op = Operator::add;
  std::size_t offset = 0;  // in the file
  std::size_t depth = 1;
  TemplateValue constant;
  std::string name;
  std::vector<ExpressionPtr> items;
  std::vector<std::string> names;
  std::vector<Operator> ops;
  std::vector<ComprehensionClause> clauses;
};

}  // namespace squall::web::detail
