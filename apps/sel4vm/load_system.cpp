// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/file_kind.hpp>
#include <apps/sel4vm/load_system.hpp>
#include <apps/sel4vm/system_file.hpp>
#include <apps/sel4vm/text.hpp>

#include <fmt/format.h>

namespace sel4vm::cli {

std::unique_ptr<System> read_system(const std::string &file, Mistakes &mistakes) {
    constexpr u64 kLargestSystemFile = 16 * kMiB;
    const auto data = read_file(file, {kLargestSystemFile});
    // What it is says more than that it is too large for what it is not.
    const FileHead head = data ? FileHead{{}, data->size()} : read_head(file);
    if (const auto why = no_system_file(file, data ? *data : head.bytes, head.file_bytes))
        throw Failure(ExitStatus::bad_input, *why);
    if (!data)
        throw Failure(ExitStatus::bad_input, fmt::format("{} {}", shown_path(file), data.error()));
    // SAFETY: bytes may be looked at as characters.
    return parse_system({reinterpret_cast<const char *>(data->data()), data->size()}, file, mistakes);
}

void require_none(Mistakes &mistakes) {
    for (const std::string &warning : mistakes.take_warnings())
        print_message("warning: " + warning);
    if (!mistakes.empty())
        throw Failure(ExitStatus::bad_input, mistakes.texts());
}

} // namespace sel4vm::cli
