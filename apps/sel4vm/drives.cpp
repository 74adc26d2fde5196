// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/drives.hpp>
#include <apps/sel4vm/files.hpp>
#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <sel4vm/host/block_device.hpp>
#include <system_error>
#include <unistd.h>

namespace sel4vm::cli {

namespace {

/// Why QEMU could not have it as a disk; empty: it can.
std::string what_is_wrong(const MachineDrive &drive) {
    std::error_code error;
    const auto status = std::filesystem::status(drive.path, error);
    if (!std::filesystem::exists(status))
        return "does not exist";
    if (std::filesystem::is_directory(status))
        return "is a directory";
    if (!std::filesystem::is_regular_file(status) && !std::filesystem::is_block_file(status))
        return "is neither a regular file nor a disk";
    if (::access(drive.path.c_str(), R_OK) != 0)
        return "cannot be read: permission denied";
    if (drive.writes == MachineDrive::Writes::kept && ::access(drive.path.c_str(), W_OK) != 0)
        return "cannot be written, which its writes are to be kept for";
    if (drive.qcow2 || !std::filesystem::is_regular_file(status))
        return {};
    const u64 bytes = std::filesystem::file_size(drive.path, error);
    if (bytes == 0)
        return "is empty";
    return bytes % kSectorBytes != 0
               ? fmt::format("has {} bytes, which are no whole sectors of {}", bytes, kSectorBytes)
               : std::string();
}

} // namespace

bool is_qcow2(const std::filesystem::path &path) {
    constexpr std::array<u8, 4> kMagic{'Q', 'F', 'I', 0xfb};
    const Bytes head = read_head(path).bytes;
    return head.size() >= kMagic.size() && std::equal(kMagic.begin(), kMagic.end(), head.begin());
}

void add_drive(System &system, machine::DeviceRecord &record, MachineDrive drive, Mistakes &mistakes) {
    record.machine_disk = system.keep(fmt::format("sel4vm-{}", system.drives.size()));
    record.read_only = drive.writes == MachineDrive::Writes::refused;
    drive.name = record.machine_disk;
    if (const std::string wrong = what_is_wrong(drive); !wrong.empty())
        mistakes.expected(drive.origin,
                          fmt::format("the image of a disk, but {} {}", shown_path(drive.path.string()), wrong));
    const auto same = std::find_if(system.drives.begin(), system.drives.end(), [&](const MachineDrive &other) {
        std::error_code absent;
        const bool changes = other.writes == MachineDrive::Writes::kept || drive.writes == MachineDrive::Writes::kept;
        return changes && std::filesystem::equivalent(other.path, drive.path, absent);
    });
    if (same != system.drives.end())
        mistakes.expected(drive.origin,
                          fmt::format("a file of its own: writes to {} are kept, and another disk has it, too",
                                      shown_path(drive.path.string())));
    system.drives.push_back(std::move(drive));
}

void refuse_drives(const System &system, Mistakes &mistakes, const std::string &why) {
    for (const MachineDrive &drive : system.drives)
        mistakes.add(drive.origin, why);
}

} // namespace sel4vm::cli
