import type { DocumentKind } from "../store.ts";

/** How documents of a kind are written: by their owner alone, by their sender once, or by every host, field by field. */
export type WritingWay = "owned" | "once" | "shared";

const WAYS: Readonly<Record<DocumentKind, WritingWay>> = {
	host: "owned",
	vm: "owned",
	chain: "owned",
	backup: "owned",
	job: "owned",
	alert: "owned",
	intent: "once",
	repository: "shared",
	offering: "shared",
	schedule: "shared",
	setting: "shared",
};

/** Who may write documents of a kind (I5). */
export const writingWay = (kind: DocumentKind): WritingWay => WAYS[kind];
