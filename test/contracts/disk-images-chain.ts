// Images that the contract of DiskImages is tried on.
import type { ExecutionContext, TestFn } from "ava";
import { type ImageHarness, MIB, overlayOn } from "./image-harness.ts";

export type ImagesTest = TestFn<{ harness: ImageHarness }>;
type T = ExecutionContext<{ harness: ImageHarness }>;

/** Bytes of each disk. */
export const SIZE = 8 * MIB;
export const FIRST = { start: 0, length: MIB };

/** A base with 1 in its first MiB. */
export const aBase = async (t: T, format: "qcow2" | "raw" = "qcow2", name = `base.${format}`) => {
	const { harness } = t.context;
	const base = { path: await harness.image(name, { format, size: SIZE }), format };
	await harness.fill(base, { ...FIRST, value: 1 });
	return base;
};

/** base ← a (2 at 0) ← b (3 at 2 MiB). */
export const aChain = async (t: T) => {
	const base = await aBase(t);
	const a = await overlayOn(t.context.harness, "a.qcow2", base, { ...FIRST, value: 2 });
	const b = await overlayOn(t.context.harness, "b.qcow2", a, {
		start: 2 * MIB,
		length: MIB,
		value: 3,
	});
	return { base, a, b };
};
