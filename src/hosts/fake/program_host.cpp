// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/fake/program_host.hpp>

#include <unistd.h>

namespace sel4vm::fake {

void ProgramHost::put(std::span<const u8> bytes) {
    // SAFETY: bytes are characters.
    HostBase::put({reinterpret_cast<const char *>(bytes.data()), bytes.size()});
}

usize ProgramHost::read(std::span<u8> out) {
    // SAFETY: characters are bytes.
    return HostBase::read({reinterpret_cast<char *>(out.data()), out.size()});
}

InputFlow ProgramHost::input_flow() const { return isatty(STDIN_FILENO) == 1 ? InputFlow::typed : InputFlow::held; }

Status<HostError> ProgramHost::listen(u64 badge) {
    if (!host_.listen(badge))
        return Err{HostError{HostErrorKind::busy}};
    return Ok{};
}

std::optional<std::span<const u8>> ProgramHost::file(std::string_view name) {
    const std::string *const file = host_.file(std::string(name));
    if (file == nullptr)
        return std::nullopt;
    // SAFETY: characters are bytes.
    return std::span{reinterpret_cast<const u8 *>(file->data()), file->size()};
}

Result<aarch64::GuestResources *, HostError> ProgramHost::make_guest() {
    if (host_.refuses())
        return Err{HostError{HostErrorKind::out_of_memory}};
    guests_.push_back(std::make_unique<Guest>(host_, events_));
    host_.note_made();
    return &guests_.back()->resources;
}

void ProgramHost::free_guest(aarch64::GuestResources &guest) {
    std::erase_if(guests_, [&](const auto &made) { return &made->resources == &guest; });
    host_.note_gone();
}

} // namespace sel4vm::fake
