// 40 MiB of a large heap are written all the time; the rest was written once.
public final class Hot {
    public static void main(String[] args) throws Exception {
        byte[][] cold = new byte[400][];
        for (int i = 0; i < cold.length; i++) {
            cold[i] = new byte[500 << 10];
            java.util.Arrays.fill(cold[i], (byte) 1);
        }
        byte[] hot = new byte[40 << 20];
        for (int round = 0; ; round++) {
            for (int at = 0; at < hot.length; at += 4096) hot[at] = (byte) round;
            if (round % 1000 == 0 && cold[round / 1000 % 400][0] != 1) throw new IllegalStateException();
            Thread.sleep(2);
        }
    }
}
