// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/validate_flash.hpp>

namespace sel4vm::machine {

void check_flash(const MachineDescription &vm, usize index, ValidationReport &report, AddressClaims &claims) {
    ValidationReport::Key key;
    key << "vm[" << u64{index} << "].flash";
    usize contents = 0;
    for (const ImageRecord &image : vm.images)
        contents += image.kind == ImageKind::flash ? 1U : 0U;
    if (!vm.flash) {
        if (contents != 0)
            report.add(key, "none", "a flash for the image that says what is in it");
        return;
    }
    auto base_key = key;
    base_key << ".base";
    claims.claim({vm.flash->base, kFlashBankBytes}, base_key, base_key, kFlashBankBytes);
    if (!vm.flash->image)
        return;
    if (*vm.flash->image >= vm.images.size() || vm.images[*vm.flash->image].kind != ImageKind::flash)
        report.add(key, *vm.flash->image, "an image of what it holds");
    else if (const u64 size = vm.images[*vm.flash->image].size_bytes; size > kFlashBankBytes)
        report.add(key, Size{size}, "at most ", Size{kFlashBankBytes});
}

} // namespace sel4vm::machine
