// A terminal of two streams: what is written to it is kept, what it sends is what a test types.
import { PassThrough } from "node:stream";
import type { Key } from "../../../apps/tui/src/app/msg.ts";
import { createRenderer, type Renderer } from "../../../apps/tui/src/blessed/renderer.ts";
import type { Reply } from "../../../apps/tui/src/blessed/replies.ts";
import type { Theme } from "../../../apps/tui/src/view/theme.ts";

/** A renderer on a terminal in memory. */
export const fakeTerminal = (theme: Partial<Theme> = {}, mouse = false) => {
	const input = Object.assign(new PassThrough(), {
		isTTY: true,
		isRaw: false,
		raw: [] as boolean[],
	});
	Object.assign(input, { setRawMode: (on: boolean) => input.raw.push(on) });
	const output = Object.assign(new PassThrough(), { isTTY: true, columns: 40, rows: 10 });
	const keys: Key[] = [];
	const clicks: Reply[] = [];
	let graphics = 0;
	let told: () => void = () => undefined;
	const renderer: Renderer = createRenderer({
		input: input as unknown as NodeJS.ReadStream,
		output: output as unknown as NodeJS.WriteStream,
		theme: { name: "dark", depth: "256", ascii: false, ...theme },
		mouse,
		env: {},
		onKey: (key) => keys.push(key),
		onMouse: (click) => clicks.push(click),
		onResize: () => undefined,
		onGraphics: () => {
			graphics += 1;
			told();
		},
	});
	/** What was written since the last time. */
	const written = (): string => {
		const chunk: unknown = output.read();
		return Buffer.isBuffer(chunk) ? chunk.toString("utf8") : "";
	};
	const type = async (text: string): Promise<void> => {
		input.write(text);
		await new Promise((resolve) => setImmediate(resolve));
	};
	const untilGraphics = (): Promise<void> =>
		graphics > 0 ? Promise.resolve() : new Promise((resolve) => (told = resolve));
	return { renderer, written, type, keys, clicks, untilGraphics, raw: input.raw };
};
