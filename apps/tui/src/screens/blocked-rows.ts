import type { BlockedAction } from "@knib/core";
import { heading, type Row, sentence } from "./screen.ts";

/** What cannot be done now, and why; undefined while the daemon is asked. */
export const blockedRows = (blocked: readonly BlockedAction[] | undefined): readonly Row[] => [
	heading("CANNOT BE DONE NOW"),
	...(blocked === undefined
		? [sentence("asking", "asking…", "dim")]
		: blocked.map((one) =>
				sentence(`blocked ${one.action}`, `${one.action}: ${one.reason}`, "warn"),
			)),
	...(blocked?.length === 0 ? [sentence("free", "nothing stands in the way", "good")] : []),
];
