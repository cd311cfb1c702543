namespace {
[[gnu::section(".qsohost"), gnu::used]] const char note[8192] = "SOMEONE ELSE";
}
