/* SPDX-License-Identifier: MIT */
/** Updates [MIB [HOT_PERCENT [PAUSE_MS]]]: numbers, of which a part is updated at random; with a pause after each unit of work. */
public final class Updates {
    private static final int LENGTH = 1 << 16; // 512 KiB: no humongous objects in regions of 4 MiB

    public static void main(String[] arguments) throws InterruptedException {
        int mib = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 768;
        int hotPercent = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 25;
        int pauseMs = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 0;
        long[][] numbers = new long[2 * mib][];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = new long[LENGTH];
        }
        int hot = numbers.length * hotPercent / 100;
        System.out.println("ready");
        long state = 1;
        for (;;) {
            for (int i = 0; i < 1_000_000; i++) {
                state = state * 6364136223846793005L + 1442695040888963407L;
                numbers[(int) ((state >>> 40) % hot)][(int) (state >>> 20) & (LENGTH - 1)] += state;
            }
            System.out.println("unit");
            Thread.sleep(pauseMs);
        }
    }
}
