// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/kvm/program_host.hpp>

#include <fstream>
#include <iterator>

namespace sel4vm::kvm {

Status<HostError> ProgramHost::listen(u64 badge) {
    if (listened_to_)
        return Err{HostError{HostErrorKind::busy}};
    listened_to_ = true;
    terminal_.listen(badge);
    return Ok{};
}

std::optional<std::span<const u8>> ProgramHost::file(std::string_view name) {
    auto found = files_.find(name);
    if (found == files_.end()) {
        std::ifstream in(std::string(name), std::ios::binary);
        std::string content(std::istreambuf_iterator<char>(in), {});
        if (!in.good() && !in.eof())
            return std::nullopt;
        found = files_.emplace(name, std::move(content)).first;
    }
    // SAFETY: chars are read as bytes; a map's elements stay where they are.
    return std::span{reinterpret_cast<const u8 *>(found->second.data()), found->second.size()};
}

Result<aarch64::GuestResources *, HostError> ProgramHost::make_guest() {
    guests_.push_back(SEL4VM_TRY(GuestResources::make(shared_, events_)));
    return static_cast<aarch64::GuestResources *>(guests_.back().get());
}

void ProgramHost::free_guest(aarch64::GuestResources &guest) {
    std::erase_if(guests_, [&](const auto &made) { return made.get() == &guest; });
}

} // namespace sel4vm::kvm
