import fc from 'fast-check';

// CI judges a change by the change: it always generates the same. Elsewhere every run tries something new.
if (process.env.CI) {
  process.env.FAST_CHECK_SEED ??= '20261123';
  process.env.FUZZ_SEED ??= '20261123';
}
if (process.env.FAST_CHECK_SEED) fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED) });
