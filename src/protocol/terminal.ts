const ESC = '\x1b'
const CSI = `${ESC}[`

/**
 * Brings a terminal from whatever state a program left it in to where a shell expects it, keeping its text: the
 * program is not asked, it may be gone or still running elsewhere. Begins every painted screen (`Screen.paint`), and is
 * what a client writes when it leaves. It takes the keyboard stacks of both screens down, leaves the alternate screen,
 * and does not move the cursor of the normal one; whoever leaves still has to find a free line below the text.
 *
 * Left alone on purpose, because terminals differ in what is their normal state and users choose it: blinking (12),
 * wheel in the alternate screen (1007), the palette.
 */
export const TERMINAL_RESET: string = [
  `${CSI}<99u${CSI}=0u`,
  // The switch restores a cursor: in a normal screen, where there is no switch, that has to be the present one.
  `${ESC}7${CSI}?1049l`,
  `${CSI}<99u${CSI}=0u${CSI}>4m`,
  // Both home the cursor.
  `${ESC}7${CSI}?6l${CSI}r${ESC}8`,
  `${CSI}0m${CSI}0"q${ESC}]8;;${ESC}\\${ESC}(B${ESC})B\x0f`,
  `${CSI}4l${CSI}20l${CSI}?1l${ESC}>${CSI}?7h${CSI}?45l${CSI}?5l`,
  ...[9, 1000, 1002, 1003, 1005, 1006, 1015, 1016, 1004, 2004, 2031, 2048].map((mode) => `${CSI}?${mode}l`),
  `${CSI}0 q${CSI}?25h${CSI}?2026l`,
].join('')

/** Ask the terminal to remember its title, and to show it again. */
export const TITLE_SAVE: string = `${CSI}22;0t`
export const TITLE_RESTORE: string = `${CSI}23;0t`
