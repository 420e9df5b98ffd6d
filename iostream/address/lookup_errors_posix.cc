#include <squall/iostream/address/address_system.h>

#include <netdb.h>

namespace squall {

bool detail::is_definite_answer(int error) noexcept { return error == EAI_NONAME; }

}  // namespace squall
