// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/uefi.hpp>

#include <array>
#include <system_error>

namespace sel4vm::cli {

std::optional<UefiFiles> find_uefi() {
    struct Place {
        const char *code;
        const char *variables;
    };
    constexpr std::array kPlaces{
        Place{"/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"}, // Debian, Ubuntu
        Place{"/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw",
              "/usr/share/edk2/aarch64/vars-template-pflash.raw"},                             // Fedora
        Place{"/usr/share/edk2/aarch64/QEMU_CODE.fd", "/usr/share/edk2/aarch64/QEMU_VARS.fd"}, // Arch
        Place{"/usr/share/qemu/edk2-aarch64-code.fd", "/usr/share/qemu/edk2-arm-vars.fd"},     // QEMU's own
    };
    std::error_code ignored;
    for (const Place &place : kPlaces) {
        if (std::filesystem::is_regular_file(place.code, ignored) &&
            std::filesystem::is_regular_file(place.variables, ignored))
            return UefiFiles{place.code, place.variables};
    }
    return std::nullopt;
}

} // namespace sel4vm::cli
