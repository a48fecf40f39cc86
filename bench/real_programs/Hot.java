// 40 MiB of a large heap are written all the time; the rest was written once.
public final class Hot {
    public static void main(String[] args) throws Exception {
        byte[][] cold = new byte[200][];
        for (int i = 0; i < cold.length; i++) {
            cold[i] = new byte[1 << 20];
            java.util.Arrays.fill(cold[i], (byte) 1);
        }
        byte[][] hot = new byte[40][1 << 20];
        for (int round = 0; ; round++) {
            for (byte[] part : hot) {
                for (int at = 0; at < part.length; at += 4096) part[at] = (byte) round;
            }
            if (round % 1000 == 0 && cold[round / 1000 % 200][0] != 1) throw new IllegalStateException();
            Thread.sleep(2);
        }
    }
}
