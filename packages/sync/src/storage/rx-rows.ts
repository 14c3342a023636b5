import type { Stored } from "./stored-form.ts";

/** A document as RxDB takes it; revision and time are RxDB's to fill in. */
export const stampedRow = (stored: Stored) => ({
	...stored,
	_attachments: {},
	_rev: "",
	_meta: { lwt: 1 },
});
export type StampedRow = ReturnType<typeof stampedRow>;
