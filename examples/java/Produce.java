import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Produce the flights of standard input, one JSON object a line: JDBC.
 *
 * <p>1,000 records a call, and a transaction. The argument is the URL of the database. The key is
 * in the value, so the server can take it out.
 */
public class Produce {
    private static final String PRODUCE = """
        SELECT produced.*
        FROM (
            SELECT array_agg(flight ORDER BY number) AS flights,
                array_agg(flight ->> 'origin' ORDER BY number) AS origins
            FROM unnest(?::jsonb[]) WITH ORDINALITY AS line (flight, number)
        ) AS batch, topic.produce_batch('flights', flights, keys => origins) AS produced
        """;

    public static void main(String[] args) throws IOException, SQLException {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (Connection connection = DriverManager.getConnection(args[0]);
                PreparedStatement produce = connection.prepareStatement(PRODUCE)) {
            for (List<String> lines; !(lines = readLines(input, 1000)).isEmpty(); ) {
                produce.setArray(1, connection.createArrayOf("text", lines.toArray()));
                produce.executeQuery();
            }
        }
    }

    private static List<String> readLines(BufferedReader input, int count) throws IOException {
        var lines = new ArrayList<String>();
        for (String line; lines.size() < count && (line = input.readLine()) != null; ) {
            lines.add(line);
        }
        return lines;
    }
}
